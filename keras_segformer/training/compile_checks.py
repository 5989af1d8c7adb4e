"""Checks that `compile` makes of Keras' own losses and metrics, most of which take probabilities by default."""

from __future__ import annotations

import inspect
from typing import Any

import keras

_WITHOUT_LOGITS = ("dice", "tversky")
"""Losses that have no option for logits."""

_BINARY_ACCURACY = ("accuracy", "acc", "binary_accuracy")
"""What Keras takes for accuracy at a probability of .5 where a model has one channel."""


def check_takes_logits(losses: Any, metrics: Any, num_classes: int, ignore_class: int) -> None:
    """Refuses losses and metrics that would read the logits of a model as probabilities or as labels.

    Args:
        losses: As given to `compile`.
        metrics: As given to `compile`.
        num_classes: Channels of the logits.
        ignore_class: The mask value of pixels without label, for the remedy.

    Raises:
        ValueError: There is such a loss or metric; the message names the remedy.

    Example:

    >>> check_takes_logits(keras.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"], 3, 255)
    """
    for loss in _each(losses):
        _check_loss(keras.losses.get(loss) if isinstance(loss, str) else loss, ignore_class)
    for metric in _each(metrics):
        _check_metric(metric, num_classes, ignore_class)


def _each(given: Any) -> list[Any]:
    return [each for each in keras.tree.flatten(given) if each is not None]


def _check_loss(loss: Any, ignore_class: int) -> None:
    name = getattr(loss, "__name__", None) or type(loss).__name__
    if not (getattr(loss, "__module__", None) or "").startswith("keras."):
        return
    if name.lower() in _WITHOUT_LOGITS:
        raise ValueError(
            f"The loss {name} takes probabilities, and the model gives logits; use "
            "`keras_segformer.training.SegmentationLoss(dice_weight=1.0)`."
        )
    if _expects_probabilities(loss):
        raise ValueError(
            f"The loss {name} takes probabilities, and the model gives logits; make it with `from_logits=True`, as in "
            f"`keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class={ignore_class})`, or leave "
            "`loss` out for that of this package."
        )


def _expects_probabilities(loss: Any) -> bool:
    if not inspect.isfunction(loss):
        return getattr(loss, "from_logits", None) is False
    parameter = inspect.signature(loss).parameters.get("from_logits")
    return parameter is not None and parameter.default is False


def _check_metric(metric: Any, num_classes: int, ignore_class: int) -> None:
    name = metric if isinstance(metric, str) else type(metric).__name__
    if getattr(metric, "from_logits", None) is False:
        raise ValueError(
            f"The metric {name} takes probabilities, and the model gives logits; make it with `from_logits=True`."
        )
    has_threshold = getattr(metric, "threshold", None) == 0.5 or metric in _BINARY_ACCURACY
    if num_classes == 1 and has_threshold:
        raise ValueError(
            f"The metric {name} compares with a probability of 0.5, and the model gives logits; use "
            "`keras.metrics.BinaryAccuracy(threshold=0.0)`, or leave `metrics` out for those of this package."
        )
    takes_labels = isinstance(metric, keras.metrics.IoU) and not isinstance(metric, keras.metrics.BinaryIoU)
    if takes_labels and metric.sparse_y_pred:
        raise ValueError(
            f"The metric {name} takes labels, and the model gives logits; make it with `sparse_y_pred=False` and "
            f"`ignore_class={ignore_class}`, or leave `metrics` out for those of this package."
        )
