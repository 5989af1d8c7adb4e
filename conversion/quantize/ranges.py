"""The range of values of a tensor that its integers represent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..report.fidelity import divergence
from ..tflite.reader import TFLiteFile
from .statistics import Statistics

_GELU_IS_ZERO_BELOW = -4.0  # GELU(-4) = -1.3e-4, much less than the quantisation step of its outputs
_FRACTIONS = np.linspace(0.2, 1.0, 33).tolist()  # of an end of the range, in steps of 0.025
_FRACTIONS_OF_LOGITS = np.linspace(0.025, 1.0, 40).tolist()  # most are far below the largest of their position
_MAX_BITS_OF_LOGITS = 8  # with 16 bits, a tensor's range does not matter, and enlarged logits need the same one
_PASSES = 2  # the best value of one end depends on the other


def activation_ranges(statistics: Statistics, file: TFLiteFile, bits: int = 8) -> dict[str, tuple[float, float]]:
    """Choose the range of each activation.

    A few outliers would make the quantisation step of all other values coarse. Each end is moved towards 0 if that
    lowers the mean squared error of the sampled values. For the inputs of GELU, values that it maps to 0 are
    disregarded. If only probabilities follow from logits, the range is the one that changes them least: with 150
    classes, most logits are so low that it does not matter how low.

    Args:
        statistics: The sampled values.
        file: The file.
        bits: Number of bits of the integers.

    Returns:
        `(minimum, maximum)` by the names of the tensors; 0 lies between them.
    """
    before_gelu = {node.inputs[0].name for node in file.nodes if node.name == "GELU"}
    ranges = {}
    for name, values in statistics.values.items():
        if name in before_gelu:
            values = np.maximum(values, _GELU_IS_ZERO_BELOW)
        ranges[name] = best_range(values, bits)
    if statistics.logits and bits <= _MAX_BITS_OF_LOGITS:
        # The tiles of a tensor have one range.
        logits = np.concatenate(list(statistics.logits.values()))
        ranges |= dict.fromkeys(statistics.logits, best_range_of_logits(logits, bits))
    return ranges


def best_range(values: np.ndarray, bits: int = 8) -> tuple[float, float]:
    """Choose the range with the least mean squared error.

    Args:
        values: A sample of the values.
        bits: Number of bits of the integers.

    Returns:
        `(minimum, maximum)`; 0 lies between them.

    Example:

    >>> low, high = best_range(np.append(np.linspace(0, 1, 10_000), 8.0), bits=4)
    >>> low, 1 <= high < 4
    (0.0, True)
    """
    return _least(values, bits, _FRACTIONS, lambda rounded: float(np.mean(np.square(values - rounded))))


def best_range_of_logits(logits: np.ndarray, bits: int = 8) -> tuple[float, float]:
    """Choose the range of logits that changes the probabilities of classes least.

    Args:
        logits: A sample, `(positions, classes)`.
        bits: Number of bits of the integers.

    Returns:
        `(minimum, maximum)`; 0 lies between them.

    Example:

    >>> best_range_of_logits(np.array([[1.03, 2.01, -90.0], [1.52, 0.97, -70.0]]))[0] > -20
    True
    """
    return _least(logits, bits, _FRACTIONS_OF_LOGITS, lambda rounded: divergence(logits, rounded))


def _least(
    values: np.ndarray, bits: int, fractions: Sequence[float], loss: Callable[[np.ndarray], float]
) -> tuple[float, float]:
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    if low == high:
        return low, high
    for _ in range(_PASSES):
        high = min((high * fraction for fraction in fractions), key=lambda end: loss(_rounded(values, low, end, bits)))
        low = min((low * fraction for fraction in fractions), key=lambda end: loss(_rounded(values, end, high, bits)))
    return low, high


def as_calibration(ranges: Mapping[str, tuple[float, float]]) -> dict[str, dict[str, np.ndarray]]:
    """Convert ranges to the format of litert-quantizer.

    Args:
        ranges: What `activation_ranges` returns.

    Returns:
        `{"min": array, "max": array}` by the names of the tensors.
    """
    return {
        name: {"min": np.full((1, 1, 1, 1), low, np.float32), "max": np.full((1, 1, 1, 1), high, np.float32)}
        for name, (low, high) in ranges.items()
    }


def _rounded(values: np.ndarray, low: float, high: float, bits: int) -> np.ndarray:
    step = (high - low) / (2**bits - 1)
    return np.rint(np.clip(values, low, high) / step) * step if step > 0 else np.zeros_like(values)
