"""Row tiles: horizontal bands of a feature map that are computed one after the other to save memory."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

Rows = tuple[int, int | None]
"""The first row of a tile, and the one after its last; `None` where the height is not known before the file runs."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tiling:
    """How many values the largest tensor of a row tile may have; `None` computes all rows at once.

    With the defaults, tensors take 32 MB instead of 44 MB for B0's logits at 512x512. Slices and copies cost time, and
    more of it with two threads, which find less to share.

    Args:
        scores: Limit for the attention scores between the queries of a tile and all keys.
        fused: Limit for the decoder's fused feature map.
        enlarged: Limit for the logits at the size of the image.
    """

    scores: int | None = 2**21  # 8 MB in float32
    fused: int | None = 2**20
    enlarged: int | None = 2**21


FAST = Tiling(scores=None, fused=None)
"""Tiles only for logits at the size of the image, which take far more memory than all other tensors: 157 MB for 150
classes at 512x512."""

UNTILED = Tiling(scores=None, fused=None, enlarged=None)
"""No tiles: fewer operations, for targets where the time per operation matters more than memory."""


def row_tiles(
    height: int | None, values_per_row: int, max_values: int | None, sources: Sequence[int] = ()
) -> list[Rows]:
    """Divide rows into tiles of about equal height.

    Args:
        height: Number of rows; `None` if it is not known, which needs `max_values=None`.
        values_per_row: Number of values in a row.
        max_values: How many values a tile may have; `None` for one tile with all rows.
        sources: Heights of the maps that are upsampled to `height`. Tiles start and end between two rows of each of
            them, which may make a tile larger than `max_values`. If one of them does not divide `height`, there is
            only one tile.

    Returns:
        The tiles from top to bottom.

    Example:

    >>> row_tiles(16, values_per_row=100, max_values=500, sources=[8])
    [(0, 4), (4, 8), (8, 12), (12, 16)]
    """
    if max_values is None or any(height % source for source in sources):
        return [(0, height)]
    multiple = math.lcm(*(height // source for source in sources))
    units = height // multiple  # the smallest possible tiles
    number = math.ceil(units / max(1, max_values // (values_per_row * multiple)))
    edges = [units * index // number * multiple for index in range(number + 1)]
    return list(itertools.pairwise(edges))
