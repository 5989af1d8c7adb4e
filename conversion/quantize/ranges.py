"""The range of values of a tensor that its integers represent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..tflite.reader import TFLiteFile
from .statistics import Statistics

_GELU_IS_ZERO_BELOW = -4.0  # GELU(-4) = -1.3e-4, much less than the quantisation step of its outputs
_FRACTIONS = np.linspace(0.2, 1.0, 33).tolist()  # of an end of the range, in steps of 0.025
_PASSES = 2  # the best value of one end depends on the other


def activation_ranges(statistics: Statistics, file: TFLiteFile, bits: int = 8) -> dict[str, tuple[float, float]]:
    """Choose the range of each activation.

    A few outliers would make the quantisation step of all other values coarse. Each end is moved towards 0 if that
    lowers the mean squared error of the sampled values. For the inputs of GELU, values that it maps to 0 are
    disregarded.

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
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    if low == high:
        return low, high
    for _ in range(_PASSES):
        high = min((high * fraction for fraction in _FRACTIONS), key=lambda end: _error(values, low, end, bits))
        low = min((low * fraction for fraction in _FRACTIONS), key=lambda end: _error(values, end, high, bits))
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


def _error(values: np.ndarray, low: float, high: float, bits: int) -> float:
    step = (high - low) / (2**bits - 1)
    if step <= 0:
        return float(np.mean(np.square(values)))
    rounded = np.rint(np.clip(values, low, high) / step) * step
    return float(np.mean(np.square(values - rounded)))
