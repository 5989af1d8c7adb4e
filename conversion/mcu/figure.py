"""Draws what networks score with so much memory."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_segformer.figures import new_figure

from .measure import MicroPoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_micro(points: Sequence[MicroPoint]) -> Figure:
    """Draws mean IoU against the arena, or multiply-accumulates where there are no scores.

    Args:
        points: The points, those of a network in ascending order of size.

    Returns:
        A matplotlib figure; its method `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(figsize=(6.4, 4.4), dpi=110, layout="constrained")
    axes = figure.subplots()
    by_name = collections.defaultdict(list)
    for point in points:
        by_name[point.name].append(point)
    is_scored = all(point.file_mean_iou is not None for point in points)
    for name, own in by_name.items():
        kilobytes = [point.arena.total / 1000 for point in own]
        values = [point.file_mean_iou if is_scored else point.macs / 1e6 for point in own]
        axes.plot(kilobytes, values, "o-", label=name)
        for point, x, y in zip(own, kilobytes, values, strict=True):
            axes.annotate(f"{point.size[0]}x{point.size[1]}", (x, y), textcoords="offset points", xytext=(4, 5))
    axes.axvline(100, color="gray", linestyle=":", label="100 KB")
    axes.set_xlabel("arena of TF Lite Micro, KB")
    axes.set_ylabel("mean IoU of the INT8 file" if is_scored else "1e6 multiply-accumulates")
    axes.legend()
    return figure
