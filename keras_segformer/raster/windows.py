"""Where the windows of a raster lie."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from keras_segformer.predict.sizes import Size

SIDE = 1024
"""Side of a window in pixels."""

MARGIN = 128
"""Pixels at the edges of a window whose labels are those of its neighbour, which sees more around them."""

BLOCK = 256
"""Side of the blocks of the files; the steps between windows are multiples of it, so that each is written once."""


@dataclasses.dataclass(frozen=True)
class Window:
    """A part of a raster.

    Args:
        rows: The rows that are read.
        columns: The columns that are read.
        kept_rows: Those of the raster whose labels are kept.
        kept_columns: Likewise.
    """

    rows: slice
    columns: slice
    kept_rows: slice
    kept_columns: slice

    @property
    def kept(self) -> tuple[slice, slice]:
        """What is kept, as an index of the window's own arrays."""
        return _shifted(self.kept_rows, self.rows.start), _shifted(self.kept_columns, self.columns.start)


def windows(size: Size, side: int = SIDE, margin: int = MARGIN) -> Iterator[Window]:
    """Places overlapping windows over a raster, from top to bottom and left to right.

    Args:
        size: `(height, width)` of the raster.
        side: Side of a window; at the edges and in smaller rasters it may be less.
        margin: What of a window is dropped at each side, but for edges of the raster.

    Yields:
        The windows. What they keep covers every pixel once.

    Example:

    >>> [(each.columns.start, each.kept_columns.stop) for each in windows((64, 2048))]
    [(0, 768), (640, 1536), (1024, 2048)]
    """
    for rows, kept_rows in _spans(size[0], side, margin):
        for columns, kept_columns in _spans(size[1], side, margin):
            yield Window(rows, columns, kept_rows, kept_columns)


def _spans(length: int, side: int, margin: int) -> Iterator[tuple[slice, slice]]:
    step = side - 2 * margin
    for kept in range(0, length, step):
        end = min(kept + step, length)
        start, stop = max(0, kept - margin), min(end + margin, length)
        # A short one at the end begins earlier instead: networks see no fewer pixels than 32.
        yield slice(max(0, min(start, stop - side)), stop), slice(kept, end)


def _shifted(span: slice, by: int) -> slice:
    return slice(span.start - by, span.stop - by)
