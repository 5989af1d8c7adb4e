"""What `model.compile()` takes where it is given nothing: the recipe of the paper."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.evaluation.metric import MeanIoU, PixelAccuracy
from keras_segformer.label_sets import LabelSet
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.schedule import WarmupPolynomial

RATE = 6e-5
WARMUP_STEPS = 1_500
LONGEST_WARMUP = 0.1
"""The share of a run that is warm-up at most: the paper's 1,500 steps would swallow a short fine-tuning."""


def default_schedule() -> WarmupPolynomial:
    """The paper's learning rate over 160,000 steps; `stretch_schedule` fits it to another run."""
    return WarmupPolynomial(RATE, warmup_steps=WARMUP_STEPS)


def default_optimizer(schedule: WarmupPolynomial) -> GroupedAdamW:
    """AdamW with the decay and parameter groups of the paper (section 4.1 and the original configs).

    Args:
        schedule: The learning rate.

    Returns:
        A new optimizer.
    """
    return GroupedAdamW(schedule, weight_decay=0.01)


def default_loss(label_set: LabelSet) -> SegmentationLoss:
    """Cross-entropy over the labelled pixels.

    Args:
        label_set: The classes, whose `ignore_index` is left out.

    Returns:
        The loss.
    """
    return SegmentationLoss(ignore_class=label_set.ignore_index)


def default_metrics(num_classes: int, label_set: LabelSet) -> list[keras.metrics.Metric]:
    """Mean IoU and pixel accuracy.

    Args:
        num_classes: Channels of the logits.
        label_set: The classes, whose `ignore_index` is left out.

    Returns:
        New metrics.
    """
    ignored = label_set.ignore_index
    return [MeanIoU(num_classes, ignore_class=ignored), PixelAccuracy(ignore_class=ignored)]


def stretch_schedule(schedule: WarmupPolynomial, first_step: int, total_steps: int) -> None:
    """Sets the length of a schedule to that of the run that is about to begin.

    Args:
        schedule: What `default_schedule` returned.
        first_step: The optimizer's count of steps before the run.
        total_steps: Steps of the run.
    """
    schedule.first_step = first_step
    schedule.total_steps = total_steps
    schedule.warmup_steps = min(WARMUP_STEPS, int(LONGEST_WARMUP * total_steps))


def steps_of_fit(data: Any, arguments: dict[str, Any]) -> int | None:
    """How many optimizer steps a call of `fit` is going to make, as far as that is known.

    Args:
        data: Its first argument.
        arguments: Its other arguments by name.

    Returns:
        The steps, or `None`.
    """
    epochs = arguments.get("epochs", 1) - arguments.get("initial_epoch", 0)
    per_epoch = arguments.get("steps_per_epoch")
    if per_epoch is None:
        try:
            batch_size = 1 if hasattr(data, "element_spec") else arguments.get("batch_size") or 32
            per_epoch = -(-len(data) // batch_size)
        except TypeError:
            return None
    return epochs * per_epoch if epochs > 0 and per_epoch > 0 else None
