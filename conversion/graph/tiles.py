"""Runs of rows that large tensors are computed in, one run after the other."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence

Rows = tuple[int, int]
"""The first row of a run, and its end."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tiling:
    """How many values the largest tensor of a run of rows may have; `None` computes all rows at once.

    With the defaults B0's logits at 512x512 need 32 MB for tensors in place of 44 MB, in the same time on a CPU.

    Args:
        scores: Of the attention scores between the queries of a run and all keys.
        fused: Of the decoder's fused map.
        enlarged: Of the logits at the size of the image.
    """

    scores: int | None = 2**21
    fused: int | None = 2**20
    enlarged: int | None = 2**21


UNTILED = Tiling(scores=None, fused=None, enlarged=None)
"""Everything at once: fewer operations, for targets where each of them costs more than its memory."""


def row_tiles(height: int, values_per_row: int, max_values: int | None, sources: Sequence[int] = ()) -> list[Rows]:
    """Cut rows into runs of about equal length.

    Args:
        height: Number of rows.
        values_per_row: How many values a row has.
        max_values: How many values a run may have; `None` for all rows in one run.
        sources: Heights of the maps that are enlarged to `height`. Runs begin and end between two rows of each, which
            may make a run larger than `max_values`. Where one of them does not divide `height` there is one run.

    Returns:
        The runs from top to bottom.

    Example:

    >>> row_tiles(16, values_per_row=100, max_values=500, sources=[8])
    [(0, 4), (4, 8), (8, 12), (12, 16)]
    """
    if max_values is None or any(height % source for source in sources):
        return [(0, height)]
    multiple = math.lcm(*(height // source for source in sources))
    units = height // multiple
    number = -(-units // max(1, max_values // (values_per_row * multiple)))
    edges = [units * index // number * multiple for index in range(number + 1)]
    return list(itertools.pairwise(edges))
