"""Bilinear interpolation, a run of rows at a time.

Half-pixel centres, no antialiasing: torch's `interpolate(mode="bilinear", align_corners=False)` and OpenCV's
`INTER_LINEAR`, with which the published weights were trained and measured. Pillow's `BILINEAR` averages over the source
pixels when it shrinks a picture, and so shows the network smoother pictures than it knows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Interpolation(NamedTuple):
    """Along one axis: between which two source positions every target position lies, and where between them."""

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray

    def part(self, targets: slice, first_source: int = 0) -> Interpolation:
        """The same for some of the targets, with source positions counted from `first_source`."""
        return Interpolation(self.low[targets] - first_source, self.high[targets] - first_source, self.weight[targets])


def interpolation(source: int, target: int) -> Interpolation:
    """Computes which source positions a resize mixes.

    Args:
        source: Length of the axis before, in pixels.
        target: Length of the axis after.

    Returns:
        `low` and `high`, integers `(target,)` that never decrease and differ by one at most, and `weight`, float32
        `(target,)`, the share of `high`.

    Example:

    >>> interpolation(2, 4).weight.tolist()
    [0.0, 0.25, 0.75, 0.0]
    """
    centers = np.clip((np.arange(target) + 0.5) * (source / target) - 0.5, 0, source - 1)
    low = np.floor(centers).astype(np.intp)
    high = np.minimum(low + 1, source - 1)
    return Interpolation(low, high, (centers - low).astype(np.float32))


def mix(low: np.ndarray, high: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mixes two arrays by weights that broadcast against them."""
    # Products of weights that are not negative: rounding keeps the order of values, as `low + weight * (high - low)`
    # would not. `enlarge` relies on it.
    return low * (1 - weight) + high * weight


def resized_rows(image: np.ndarray, size: tuple[int, int], rows: slice) -> np.ndarray:
    """Resizes a picture, but computes only some rows of the result.

    Args:
        image: `(H, W, 3)`, uint8.
        size: `(height, width)` of the whole result in pixels.
        rows: Which of its rows.

    Returns:
        `(number of rows, width, 3)`, float32, on the scale of the picture.

    Example:

    >>> resized_rows(np.zeros((4, 4, 3), np.uint8), (8, 6), slice(2, 5)).shape
    (3, 6, 3)
    """
    if image.shape[:2] == size:
        return image[rows].astype(np.float32)
    vertical = interpolation(image.shape[0], size[0]).part(rows)
    horizontal = interpolation(image.shape[1], size[1])
    mixed = mix(image[vertical.low], image[vertical.high], vertical.weight[:, None, None])  # (rows, W, 3)
    return mix(mixed[:, horizontal.low], mixed[:, horizontal.high], horizontal.weight[:, None])
