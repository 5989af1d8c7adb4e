"""Bilinear resize of arrays, a run of rows at a time.

Half-pixel centres, no antialiasing: torch's `interpolate(mode="bilinear", align_corners=False)` and OpenCV's
`INTER_LINEAR`, with which the published weights were trained and measured. Pillow's `BILINEAR` averages over the source
pixels when it shrinks a picture, so the network would see smoother pictures than it was trained on. transformers
resizes that way, and so does `resized_with_antialiasing`.

`keras_segformer.ops.resize_bilinear` resizes tensors by the same formula, all rows at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image


class Interpolation(NamedTuple):
    """For every target position along an axis, its two neighbours in the source, and the weight of the second.

    Args:
        low: Source positions `(target,)`, integers.
        high: Source positions `(target,)`, the same as `low` or one more.
        weight: Share of `high`, float32 `(target,)`; that of `low` is `1 - weight`.
    """

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray

    def part(self, targets: slice, first_source: int = 0) -> Interpolation:
        """Returns the interpolation of some of the targets, with source positions counted from `first_source`."""
        return Interpolation(self.low[targets] - first_source, self.high[targets] - first_source, self.weight[targets])


def interpolation(source: int, target: int) -> Interpolation:
    """Computes the weights of a bilinear resize along one axis.

    Args:
        source: Length of the axis before, in pixels.
        target: Length of the axis after, in pixels.

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
    """Mixes two arrays with the weight of the second, which broadcasts against them."""
    # Products of weights that are not negative: rounding keeps the order of values, as `low + weight * (high - low)`
    # would not. `enlarge` relies on that.
    return low * (1 - weight) + high * weight


def interpolate(x: np.ndarray, vertical: Interpolation, horizontal: Interpolation) -> np.ndarray:
    """Resizes a picture or map.

    Args:
        x: `(h, w, C)`.
        vertical: Interpolation of the rows, with `H` targets.
        horizontal: Interpolation of the columns, with `W` targets.

    Returns:
        `(H, W, C)`, float32.

    Example:

    >>> interpolate(np.array([[[0], [8]]]), interpolation(1, 1), interpolation(2, 4)).ravel().tolist()
    [0.0, 2.0, 6.0, 8.0]
    """
    rows = mix(x[vertical.low], x[vertical.high], vertical.weight[:, None, None])  # (H, w, C)
    return mix(rows[:, horizontal.low], rows[:, horizontal.high], horizontal.weight[:, None])


def resized_with_antialiasing(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes a picture bilinearly with antialiasing, to the same integers as transformers' `SegformerImageProcessor`.

    Args:
        image: `(H, W, 3)`, uint8.
        size: `(height, width)` of the result in pixels.

    Returns:
        `(height, width, 3)`, uint8.

    Example:

    >>> pixels = np.array([0, 0, 0, 255], np.uint8).reshape(1, 4, 1).repeat(3, axis=2)
    >>> resized_with_antialiasing(pixels, (1, 2))[0, :, 0].tolist()  # without antialiasing, [0, 128]
    [0, 109]
    """
    height, width = size
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def resized_rows(image: np.ndarray, size: tuple[int, int], rows: slice = slice(None)) -> np.ndarray:
    """Resizes a picture, and computes only the rows of the result that are asked for.

    Args:
        image: `(H, W, 3)`, uint8.
        size: `(height, width)` of the whole result in pixels.
        rows: The rows of the result; all by default.

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
    return interpolate(image, vertical, horizontal)
