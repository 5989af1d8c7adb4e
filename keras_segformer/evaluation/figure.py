"""Draws an evaluation: scores by class, confusions, and the pictures with the lowest scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_segformer.evaluation.confusion import ratio
from keras_segformer.evaluation.evaluate import Evaluation, SegmentedImage
from keras_segformer.figures import new_figure
from keras_segformer.label_sets import LabelSet
from keras_segformer.label_sets.display_colors import palette_colors
from keras_segformer.visualization import overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_OPACITY = 0.65
_MAX_NUMBERED = 20
"""The most classes for which bars and cells have room for numbers."""


def draw_evaluation(evaluation: Evaluation) -> Figure:
    """Draws an evaluation.

    At the left the IoU of every class, in the colours of the label set, above the confusion matrix, whose rows add up
    to 100%; at the right the worst pictures with truth and prediction.

    Args:
        evaluation: What `evaluate` returned.

    Returns:
        A matplotlib figure; its method `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed.

    Example:

    ```python
    draw_evaluation(evaluation).savefig("evaluation.png")
    ```
    """
    num_classes = evaluation.label_set.num_classes
    side = min(14.0, max(6.5, 0.1 * num_classes))  # inches of the confusion matrix
    height = side + 4
    width = side + max(7.5, 0.6 * height)
    figure = new_figure(figsize=(width, height), dpi=110, layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(side, width - side), wspace=0.02)
    bars, matrix = left.subplots(2, 1, height_ratios=(4, side))
    _draw_scores(bars, evaluation)
    _draw_confusion(matrix, evaluation)
    _draw_worst(right, evaluation)
    return figure


def _draw_scores(axes: Axes, evaluation: Evaluation) -> None:
    """A bar for the IoU of every class that occurs, the best first, and marks for its other scores."""
    scores, label_set = evaluation.scores, evaluation.label_set
    order = np.argsort(-scores.iou, kind="stable")
    order = order[~np.isnan(scores.iou[order])]
    positions = np.arange(len(order))
    size = _font_size(len(order))
    axes.bar(
        positions, scores.iou[order], color=np.array(palette_colors(label_set))[order] / 255, edgecolor="0.4", lw=0.4
    )
    if len(order) <= _MAX_NUMBERED:
        for position, index in enumerate(order):
            top = np.nanmax([scores.iou[index], scores.accuracy[index]])
            axes.text(position, top + 0.02, f"{scores.iou[index]:.1%}", fontsize=8, ha="center", va="bottom")
    axes.plot(positions, scores.accuracy[order], "_", color="black", markersize=size, label="accuracy")
    if evaluation.boundary_iou is not None:
        axes.plot(positions, evaluation.boundary_iou[order], ".", color="black", label="boundary IoU")
    axes.set_xticks(positions, [label_set.names[index] for index in order], rotation=90, fontsize=size)
    axes.set_xlim(-0.7, len(order) - 0.3)
    axes.set_ylim(0, 1.1)
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2, fontsize=8, ncols=2, frameon=False)
    axes.set_title(_headline(evaluation), fontsize=10, loc="left")


def _headline(evaluation: Evaluation) -> str:
    scores = evaluation.scores
    parts = [f"mean IoU {scores.mean_iou:.1%}", f"pixel accuracy {scores.pixel_accuracy:.1%}"]
    if evaluation.mean_boundary_iou is not None:
        parts.append(f"mean boundary IoU {evaluation.mean_boundary_iou:.1%}")
    return f"{', '.join(parts)} ({len(evaluation.images)} pictures)\nIoU of every class that occurs"


def _draw_confusion(axes: Axes, evaluation: Evaluation) -> None:
    """Where the pixels of every class go; a last column for 'none' if any go there."""
    from matplotlib import colormaps
    from matplotlib.colors import PowerNorm

    names = list(evaluation.label_set.names)
    counts = evaluation.confusion.counts
    columns = [*names, "none"] if counts[:, -1].any() else names
    counts = counts[:, : len(columns)]
    labelled = np.broadcast_to(evaluation.confusion.counts.sum(axis=1, keepdims=True), counts.shape)
    shares = ratio(counts, labelled)
    # The root makes confusions of a few percent visible.
    axes.imshow(
        np.ma.masked_invalid(shares),
        cmap=colormaps["Blues"].with_extremes(bad="0.92"),
        norm=PowerNorm(0.5, vmin=0, vmax=1),
        interpolation="nearest",
    )
    size = _font_size(len(names))
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Where the pixels of every class go", fontsize=11)
    if len(names) <= _MAX_NUMBERED:
        for (row, column), share in np.ndenumerate(shares):
            if share >= 0.005:
                color = "white" if share > 0.35 else "black"
                axes.text(column, row, f"{100 * share:.0f}", color=color, fontsize=7, ha="center", va="center")


def _draw_worst(figure: SubFigure, evaluation: Evaluation) -> None:
    """Rows of picture, truth and prediction."""
    if not evaluation.worst:
        return
    figure.suptitle("The pictures of the lowest pixel accuracy", fontsize=11)
    grid = figure.subplots(len(evaluation.worst), 3, squeeze=False)
    for row, worst in zip(grid, evaluation.worst, strict=True):
        for axes, picture in zip(row, _triple(worst, evaluation.label_set), strict=True):
            axes.imshow(picture)
            axes.set_axis_off()
        row[0].set_title(worst.score.name, fontsize=8)
        row[1].set_title("truth", fontsize=8)
        row[2].set_title(f"prediction: {worst.score.pixel_accuracy:.1%} of the pixels right", fontsize=8)


def _triple(worst: SegmentedImage, label_set: LabelSet) -> list[np.ndarray]:
    is_class = worst.predictions < label_set.num_classes
    predictions = np.where(is_class & (worst.predictions >= 0), worst.predictions, label_set.ignore_index)
    masks = (worst.labels, predictions)
    return [worst.image, *(overlay(worst.image, labels, label_set, _OPACITY) for labels in masks)]


def _font_size(num_names: int) -> float:
    """Points, so that names side by side do not overlap in the largest figure."""
    return float(np.clip(800 / max(num_names, 1), 5, 9))
