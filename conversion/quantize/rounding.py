"""Rounding of weights to integers so that the outputs of a layer change least.

Rounding each weight to the nearest integer ignores that the inputs of a layer are correlated: the error of one weight
can be compensated by others. Here the weights are rounded one input at a time, and the weights not yet rounded are
changed such that the outputs stay as close as possible over the calibration images.

This pays off where the rounding of weights is most of the error, as in dynamic INT8. `convert` uses it if there are
calibration images, and rounds to the nearest integer otherwise.

Source: Frantar et al., GPTQ, arXiv 2210.17323, implemented here for convolutions; litert-quantizer has it only for
FULLY_CONNECTED.
"""

from __future__ import annotations

import numpy as np

# Added to the diagonal of the Gram matrix, relative to its mean, so that it can be inverted.
_DAMPING = 1e-3
# Inputs that are rounded before the error is passed on to the remaining weights with one matrix product.
_BLOCK_SIZE = 64


def weight_scales(kernel: np.ndarray, bits: int = 8, per_channel: bool = True) -> np.ndarray:
    """Compute the scale of each output channel for symmetric quantisation.

    Args:
        kernel: `(out, in)`.
        bits: Number of bits of the integers.
        per_channel: Whether each channel has its own scale; if not, all have the same.

    Returns:
        `(out,)`, float64. The largest weight is mapped to the largest integer.
    """
    largest = np.abs(np.asarray(kernel, np.float64)).max(axis=1)
    return (largest if per_channel else np.full_like(largest, largest.max())) / _largest(bits)


def round_nearest(kernel: np.ndarray, scales: np.ndarray, bits: int = 8) -> np.ndarray:
    """Round each weight to the nearest integer.

    Args:
        kernel: `(out, in)`.
        scales: `(out,)`; a scale of 0 means that all weights of the channel are 0.
        bits: Number of bits of the integers.

    Returns:
        `(out, in)`, int8.
    """
    return _nearest(np.asarray(kernel, np.float64), scales[:, None], _largest(bits)).astype(np.int8)


def round_weights(kernel: np.ndarray, scales: np.ndarray, gram_matrix: np.ndarray, bits: int = 8) -> np.ndarray:
    """Round the weights so that the outputs change least.

    Args:
        kernel: `(out, in)`.
        scales: `(out,)`.
        gram_matrix: `x.T @ x` of the inputs `x` over the calibration images, `(in, in)`.
        bits: Number of bits of the integers.

    Returns:
        `(out, in)`, int8.

    Raises:
        ValueError: The Gram matrix is not finite.

    Example:

    >>> inputs = np.random.default_rng(0).normal(size=(100, 1)) * [[1, 1]]  # two equal inputs
    >>> kernel, scales = np.array([[2.4, 1.4]]), np.array([1.0])
    >>> round_nearest(kernel, scales).tolist(), round_weights(kernel, scales, inputs.T @ inputs).tolist()
    ([[2, 1]], [[2, 2]])
    """
    if not np.isfinite(gram_matrix).all():
        raise ValueError("The inputs of a layer are not finite for a calibration image; convert in float32 instead.")
    # Largest inputs first: their errors matter most, and most weights are left to compensate for them.
    order = np.argsort(-np.diag(gram_matrix), kind="stable")
    remaining = np.asarray(kernel, np.float64)[:, order]
    factor = _inverse_factor(gram_matrix[np.ix_(order, order)])
    result = np.empty_like(remaining)
    for start in range(0, len(order), _BLOCK_SIZE):
        end = min(start + _BLOCK_SIZE, len(order))
        errors = _round_block(remaining, result, factor, scales, slice(start, end), _largest(bits))
        remaining[:, end:] -= errors @ factor[start:end, end:]
    rounded = np.empty(result.shape, np.int8)
    rounded[:, order] = result
    return rounded


def _round_block(
    remaining: np.ndarray, result: np.ndarray, factor: np.ndarray, scales: np.ndarray, block: slice, largest: int
) -> np.ndarray:
    """Round the weights of some inputs in place, and return the errors to be compensated: `(out, inputs)`."""
    errors = np.empty((len(remaining), block.stop - block.start))
    for column in range(block.start, block.stop):
        result[:, column] = _nearest(remaining[:, column], scales, largest)
        error = (remaining[:, column] - result[:, column] * scales) / factor[column, column]
        remaining[:, column + 1 : block.stop] -= error[:, None] * factor[column, column + 1 : block.stop]
        errors[:, column - block.start] = error
    return errors


def _inverse_factor(gram_matrix: np.ndarray) -> np.ndarray:
    """The upper triangular matrix `U` for which `U.T @ U` is the inverse of the damped Gram matrix."""
    damped = np.asarray(gram_matrix, np.float64).copy()
    mean = np.trace(damped) / len(damped) or 1.0
    damped[np.diag_indices_from(damped)] += _DAMPING * mean
    # Cholesky from the last row and column to the first gives an upper triangular factor of the matrix itself.
    return _inverse_of_upper(np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1])


def _inverse_of_upper(matrix: np.ndarray) -> np.ndarray:
    """By halves, so that most of the work is in matrix products."""
    if len(matrix) <= _BLOCK_SIZE:
        return np.linalg.inv(matrix)
    half = len(matrix) // 2
    result = np.zeros_like(matrix)
    first = result[:half, :half] = _inverse_of_upper(matrix[:half, :half])
    second = result[half:, half:] = _inverse_of_upper(matrix[half:, half:])
    result[:half, half:] = -first @ matrix[:half, half:] @ second
    return result


def _nearest(values: np.ndarray, scales: np.ndarray, largest: int) -> np.ndarray:
    return np.clip(np.rint(values / np.where(scales > 0, scales, 1)), -largest, largest)


def _largest(bits: int) -> int:
    return 2 ** (bits - 1) - 1
