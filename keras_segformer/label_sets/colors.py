"""Colours for classes that have none."""

from __future__ import annotations

import numpy as np

MAX_DISTINCT_COLORS = 1024


def distinct_colors(count: int) -> tuple[tuple[int, int, int], ...]:
    """Colours that each lie as far as possible from all before them.

    Farthest-point sampling of a grid of colours in the perceptual space Oklab. Black, which marks ignored
    pixels, and white, the ground of the legend, count as taken; colours close to them are left out, because
    they would be hard to tell from shade and light in a photograph.

    Args:
        count: How many colours, at most `MAX_DISTINCT_COLORS`.

    Returns:
        `(red, green, blue)` on the scale 0..255, always the same; fewer colours are the first of more.

    Example:

    >>> distinct_colors(2)
    ((102, 0, 255), (0, 136, 0))
    """
    levels = np.arange(0, 256, 17)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)  # (16 * 16 * 16, 3)
    lightness = _oklab(grid)[:, 0]
    candidates = grid[(lightness > 0.3) & (lightness < 0.95)]
    places = _oklab(candidates)
    taken = _oklab(np.array([[0, 0, 0], [255, 255, 255]]))
    squared_distances = np.min(np.sum((places[:, None] - taken) ** 2, axis=-1), axis=1)
    colors = []
    for _ in range(count):
        farthest = int(np.argmax(squared_distances))
        colors.append(tuple(candidates[farthest].tolist()))
        squared_distances = np.minimum(squared_distances, np.sum((places - places[farthest]) ** 2, axis=1))
    return tuple(colors)


def _oklab(colors: np.ndarray) -> np.ndarray:
    """sRGB colours `(n, 3)` on the scale 0..255 in Oklab: lightness, green to red, blue to yellow.

    Source: B. Ottosson, "A perceptual color space for image processing", 2020.
    """
    encoded = colors / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
