"""Polygons around areas of label maps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keras_segformer.errors import MissingExtraError

try:
    from rasterio import features
except ImportError:  # the function says so
    features = None


def outlines(mask: np.ndarray) -> list[list[float]]:
    """Finds polygons without holes that cover an area, along the edges of its pixels.

    Args:
        mask: `(H, W)`, bool.

    Returns:
        Polygons `[x0, y0, x1, y1, …]` as of COCO, in pixels. They do not overlap.

    Raises:
        MissingExtraError: rasterio is not installed.

    Example:

    ```python
    outlines(np.ones((2, 3), bool))  # [[0.0, 0.0, 0.0, 2.0, 3.0, 2.0, 3.0, 0.0]]
    ```
    """
    if features is None:
        raise MissingExtraError("rasterio", "geo")
    return [np.asarray(ring[:-1], float).ravel().tolist() for ring in _rings(mask, 0)]


def _rings(mask: np.ndarray, left: int) -> Iterator[list[tuple[float, float]]]:
    """Yields the rings around the areas of a part of a picture that begins at the column `left`."""
    for shape, _ in features.shapes(mask.astype(np.uint8), mask=mask, connectivity=4):
        ring, *holes = shape["coordinates"]
        if not holes:
            yield [(x + left, y) for x, y in ring]
            continue
        # Cut through a hole from top to bottom: it is open in both halves.
        columns = [x for x, _ in holes[0]]
        cut = int(min(columns) + max(columns) + 1) // 2
        area = features.rasterize([shape], mask.shape).astype(bool)
        yield from _rings(area[:, :cut], left)
        yield from _rings(area[:, cut:], left + cut)
