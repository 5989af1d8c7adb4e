"""Draws scores on corrupted pictures, and such pictures with what the model sees in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_segformer.analysis.corrupted_scores import CLEAN, CorruptedPicture, Robustness
from keras_segformer.analysis.corruption_names import CORRUPTIONS, PAPER_CLEAN
from keras_segformer.figures import new_figure
from keras_segformer.label_sets import LabelSet
from keras_segformer.visualization import overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PAIRS = 3
"""How many corruptions stand side by side."""

_GROUP_COLORS = {"blur": "C0", "noise": "C3", "digital": "C2", "weather": "C4"}


def draw_robustness(result: Robustness, pictures: Sequence[CorruptedPicture], label_set: LabelSet) -> Figure:
    """Draws what a model keeps of its clean score, and one picture under every corruption beside its label map.

    Args:
        result: What `robustness` returned.
        pictures: A picture, clean and corrupted.
        label_set: The classes of the data set.

    Returns:
        A matplotlib figure; its method `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed.

    Example:

    ```python
    draw_robustness(result, pictures, examples.label_set).savefig("robustness.png")
    ```
    """
    rows = math.ceil(len(pictures) / _PAIRS)
    heights = (3.4, 1.75 * rows)
    figure = new_figure(figsize=(13, sum(heights)), dpi=100, layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=heights)
    _draw_scores(above.subplots(), result)
    grid = below.subplots(rows, 2 * _PAIRS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for picture, photograph, labels in zip(pictures, grid[::2], grid[1::2], strict=False):
        photograph.imshow(picture.image)
        photograph.set_title(_title(picture), fontsize=8, loc="left")
        labels.imshow(overlay(picture.image, _known(picture.predictions, label_set), label_set, 0.65))
    return figure


def _draw_scores(axes: Axes, result: Robustness) -> None:
    """A bar for what is kept under every corruption, and marks for the models of the paper."""
    names = list(result.scores)
    kept = [result.relative(score) or 0.0 for score in result.by_corruption.values()]
    positions = np.arange(len(names))
    axes.bar(positions, kept, color=[_GROUP_COLORS[CORRUPTIONS[name].group] for name in names], alpha=0.75)
    for position, share in zip(positions, kept, strict=True):
        # At the foot, where the marks of the paper's models do not cover it.
        axes.text(position, 0.01, f"{share:.0%}", fontsize=8, ha="center", va="bottom")
    for model, mark, label in (("b5", "_", "SegFormer-B5"), ("deeplab", "x", "DeepLabv3+, MobileNetV2")):
        paper = [getattr(CORRUPTIONS[name], f"paper_{model}") / PAPER_CLEAN[model] for name in names]
        axes.plot(positions, paper, mark, color="black", markersize=9, label=f"{label} on Cityscapes (paper)")
    axes.set_xticks(positions, [name.replace("_", "\n") for name in names], fontsize=8)
    axes.set(ylim=(0, 1.15), ylabel="mean IoU, of clean")
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(fontsize=8, ncols=2, loc="upper right", frameon=False)
    share = result.relative(result.mean) or 0.0
    title = f"mean IoU {result.clean:.1%}, under corruptions {result.mean:.1%} ({share:.1%} of it)"
    axes.set_title(title, fontsize=10, loc="left")


def _title(picture: CorruptedPicture) -> str:
    name = picture.corruption.replace("_", " ")
    return name if picture.corruption == CLEAN else f"{name}, severity {picture.severity}"


def _known(predictions: np.ndarray, label_set: LabelSet) -> np.ndarray:
    """Predictions of no class, which class mappings may give, as ignored pixels."""
    is_class = (predictions >= 0) & (predictions < label_set.num_classes)
    return np.where(is_class, predictions, label_set.ignore_index)
