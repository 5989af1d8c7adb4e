"""The training curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keras_segformer.files import atomic_file
from keras_segformer.training.run_state import Row


def draw_curve(history: Sequence[Row], path: Path, title: str = "") -> None:
    """Draws loss, score and learning rate over the steps of a run.

    Args:
        history: The rows of `history.csv`.
        path: The picture to write.
        title: A line above it.
    """
    from matplotlib.figure import Figure

    steps = [row["step"] for row in history]
    # Without pyplot, which would keep the figure in global state.
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for column, label in (("loss", "training"), ("val_loss", "validation")):
        losses.plot(steps, [row[column] for row in history], _POINTS, label=label)
    losses.set(xlabel="step", ylabel="loss")
    losses.legend()
    scores.plot(steps, [row["val_mean_iou"] for row in history], _POINTS, label="mean IoU")
    scores.plot(steps, [row["val_pixel_accuracy"] for row in history], _POINTS, label="pixel accuracy")
    best = max(history, key=lambda row: row["val_mean_iou"])
    scores.plot(best["step"], best["val_mean_iou"], "o", color="C0")
    scores.annotate(f"{best['val_mean_iou']:.3f}", (best["step"], best["val_mean_iou"]), (0, -16), **_NEAR)
    scores.set(xlabel="step", ylabel="validation", ylim=(0, 1))
    scores.legend(loc="lower right")
    for axes in (losses, scores):
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=120)


_POINTS = ".-"  # a run of one epoch has no line
_NEAR = {"textcoords": "offset points", "ha": "right"}
