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

    Args:
        scores: Limit for the attention scores between the queries of a tile and all keys.
        fused: Limit for the decoder's fused feature map.
        enlarged: Limit for the logits at the size of the image.
        most_scores: How many tiles of scores there may be, which goes before their limit; `None` for any number.
        rows_first: Whether maps are upsampled along their rows before they are along their columns, so that a tile
            copies less. Static INT8 rounds after either.
    """

    scores: int | None = 2**21  # 8 MB in float32
    fused: int | None = 2**20
    enlarged: int | None = 2**21
    most_scores: int | None = None
    rows_first: bool = False


# XNNPACK keeps packed keys and values for every tile: at 1024x1024, with 4 tiles B0 took 297 MB, with 8 of them 481 MB.
_MOST_SCORES = 4

FAST = Tiling(scores=2**20, fused=2**19, most_scores=_MOST_SCORES, rows_first=True)
"""For float tensors: tiles that caches hold, which saves time as well as memory."""

STATIC = Tiling(scores=None, fused=None)
"""For static INT8: tiles only for logits at the size of the image, which take far more memory than all other tensors:
157 MB in float32 for 150 classes at 512x512."""

UNTILED = Tiling(scores=None, fused=None, enlarged=None)
"""No tiles: fewer operations, for targets where the time per operation matters more than memory."""


def least_memory(widest: int) -> Tiling:
    """Tiles that are as large as they can be without being the file's largest tensors, for float tensors.

    Args:
        widest: Number of values in the largest tensor that is not computed in tiles. Two such are alive at once.

    Returns:
        Tiles of half as many values.
    """
    return Tiling(scores=widest // 2, fused=widest // 2, most_scores=_MOST_SCORES, rows_first=True)


def row_tiles(
    height: int | None,
    values_per_row: int,
    max_values: int | None,
    sources: Sequence[int] = (),
    most: int | None = None,
) -> list[Rows]:
    """Divide rows into tiles of about equal height.

    Args:
        height: Number of rows; `None` if it is not known, which needs `max_values=None`.
        values_per_row: Number of values in a row.
        max_values: How many values a tile may have; `None` for one tile with all rows.
        sources: Heights of the maps that are upsampled to `height`. Tiles start and end between two rows of each of
            them, which may make a tile larger than `max_values`. If one of them does not divide `height`, there is
            only one tile.
        most: How many tiles there may be, which goes before `max_values`; `None` for any number.

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
    number = min(math.ceil(units / max(1, max_values // (values_per_row * multiple))), most or units)
    edges = [units * index // number * multiple for index in range(number + 1)]
    return list(itertools.pairwise(edges))
