"""Where the windows of a raster lie."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from keras_segformer.models.segformer import MIN_IMAGE_SIZE
from keras_segformer.predict.sizes import Size

SIDES: Size = (1024, 1024)
"""`(height, width)` of a window in pixels, for networks that see pictures of any size."""

MAX_BLOCK = 256
"""The longest side of the blocks of files of labels."""

_TIFF_UNIT = 16  # the sides of the blocks of TIFF files are multiples of it


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


def windows(size: Size, sides: Size = SIDES) -> Iterator[Window]:
    """Places overlapping windows over a raster, from top to bottom and left to right.

    An eighth of a window is dropped at each side, but for edges of the raster: its labels are those of the neighbour,
    which sees more around them.

    Args:
        size: `(height, width)` of the raster.
        sides: `(height, width)` of a window, each at least 32; in smaller rasters it is less.

    Yields:
        The windows. What they keep covers every pixel once.

    Raises:
        ValueError: The windows are too small.

    Example:

    >>> [(each.columns.start, each.kept_columns.stop) for each in windows((64, 2048))]
    [(0, 768), (640, 1536), (1024, 2048)]
    """
    if min(sides) < MIN_IMAGE_SIZE:
        raise ValueError(
            f"windows of a raster need at least {MIN_IMAGE_SIZE}x{MIN_IMAGE_SIZE} pixels; got {sides[0]}x{sides[1]}: "
            "convert the model for a larger input"
        )
    for rows, kept_rows in _spans(size[0], sides[0]):
        for columns, kept_columns in _spans(size[1], sides[1]):
            yield Window(rows, columns, kept_rows, kept_columns)


def block_side(side: int) -> int:
    """Chooses the side of blocks of which whole numbers fit into what windows keep, so that each is written once.

    Args:
        side: Side of a window.

    Returns:
        A multiple of 16, at most 256.

    Example:

    >>> block_side(1024), block_side(512)
    (256, 192)
    """
    step = _step(side)
    return next(block for block in range(MAX_BLOCK, 0, -_TIFF_UNIT) if step % block == 0)


def _step(side: int) -> int:
    return side * 3 // 4 // _TIFF_UNIT * _TIFF_UNIT


def _spans(length: int, side: int) -> Iterator[tuple[slice, slice]]:
    step = _step(side)
    margin = (side - step) // 2
    for kept in range(0, length, step):
        # The first and the last begin where they are as long as the others: files see windows of one size.
        start = max(0, min(kept - margin, length - side))
        yield slice(start, min(start + side, length)), slice(kept, min(kept + step, length))


def _shifted(span: slice, by: int) -> slice:
    return slice(span.start - by, span.stop - by)
