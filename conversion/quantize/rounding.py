"""Rounding of weights to integers so that a layer's outputs change least.

Rounding every weight to the nearest integer ignores that the inputs of a layer are correlated: what one weight loses,
others can make up for. Weights are rounded one input after the other, and those not yet rounded take over the error in
the way that changes the outputs least over the calibration images.

It serves where weights make most of the error, as in dynamic INT8: `convert` rounds so where there are calibration
images and to the nearest where there are none, and the tests hold the former to be the closer on the real B0.

Source: Frantar et al., GPTQ, arXiv 2210.17323, written anew here for convolutions; litert-quantizer has it for
FULLY_CONNECTED alone.
"""

from __future__ import annotations

import numpy as np

_DAMPING = 1e-3
_BLOCK = 64


def weight_scales(kernel: np.ndarray, bits: int = 8, per_channel: bool = True) -> np.ndarray:
    """The scale of every output channel, symmetric around 0.

    Args:
        kernel: `(out, in)`.
        bits: Width of the integers.
        per_channel: Whether every channel has its own; if not, all have the same.

    Returns:
        `(out,)`, float64: the largest weight becomes the largest integer.
    """
    largest = np.abs(np.asarray(kernel, np.float64)).max(axis=1)
    return (largest if per_channel else np.full_like(largest, largest.max())) / _largest(bits)


def round_nearest(kernel: np.ndarray, scales: np.ndarray, bits: int = 8) -> np.ndarray:
    """Round every weight by itself.

    Args:
        kernel: `(out, in)`.
        scales: `(out,)`; the weights of a channel with the scale 0 are 0.
        bits: Width of the integers.

    Returns:
        `(out, in)`, int8.
    """
    return _nearest(np.asarray(kernel, np.float64), scales[:, None], _largest(bits)).astype(np.int8)


def round_weights(kernel: np.ndarray, scales: np.ndarray, products: np.ndarray, bits: int = 8) -> np.ndarray:
    """Round the weights so that the outputs change least.

    Args:
        kernel: `(out, in)`.
        scales: `(out,)`.
        products: `(in, in)`, the sum of the products of every two inputs over the calibration images.
        bits: Width of the integers.

    Returns:
        `(out, in)`, int8.

    Raises:
        ValueError: The products are not finite.

    Example:

    >>> inputs = np.random.default_rng(0).normal(size=(100, 1)) * [[1, 1]]  # two inputs that are always equal
    >>> kernel, scales = np.array([[2.4, 1.4]]), np.array([1.0])
    >>> round_nearest(kernel, scales).tolist(), round_weights(kernel, scales, inputs.T @ inputs).tolist()
    ([[2, 1]], [[2, 2]])
    """
    if not np.isfinite(products).all():
        raise ValueError("The inputs of a layer are not finite for a calibration image; convert in float32 instead.")
    order = np.argsort(-np.diag(products), kind="stable")  # what matters most while there is most left to correct
    remaining = np.asarray(kernel, np.float64)[:, order]
    factor = _inverse_factor(products[np.ix_(order, order)])
    result = np.empty_like(remaining)
    for start in range(0, len(order), _BLOCK):
        end = min(start + _BLOCK, len(order))
        errors = _round_block(remaining, result, factor, scales, slice(start, end), _largest(bits))
        remaining[:, end:] -= errors @ factor[start:end, end:]
    rounded = np.empty(result.shape, np.int8)
    rounded[:, order] = result
    return rounded


def _round_block(
    remaining: np.ndarray, result: np.ndarray, factor: np.ndarray, scales: np.ndarray, block: slice, largest: int
) -> np.ndarray:
    """Round some inputs, and return by how much the inputs behind them have to make up: `(out, inputs)`."""
    errors = np.empty((len(remaining), block.stop - block.start))
    for column in range(block.start, block.stop):
        result[:, column] = _nearest(remaining[:, column], scales, largest)
        error = (remaining[:, column] - result[:, column] * scales) / factor[column, column]
        remaining[:, column + 1 : block.stop] -= error[:, None] * factor[column, column + 1 : block.stop]
        errors[:, column - block.start] = error
    return errors


def _inverse_factor(products: np.ndarray) -> np.ndarray:
    """The upper triangle whose square is the inverse of the damped products."""
    damped = np.asarray(products, np.float64).copy()
    mean = np.trace(damped) / len(damped) or 1.0
    damped[np.diag_indices_from(damped)] += _DAMPING * mean
    return np.linalg.cholesky(np.linalg.inv(damped)).T


def _nearest(values: np.ndarray, scales: np.ndarray, largest: int) -> np.ndarray:
    return np.clip(np.rint(values / np.where(scales > 0, scales, 1)), -largest, largest)


def _largest(bits: int) -> int:
    return 2 ** (bits - 1) - 1
