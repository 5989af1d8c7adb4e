"""The defaults of `model.compile()`: the recipe of the paper."""

from __future__ import annotations

import math
from typing import Any

import keras

from keras_segformer.evaluation.metric import MeanIoU, PixelAccuracy
from keras_segformer.label_sets import LabelSet
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.schedule import FitLengthSchedule, WarmupPolynomial

RATE = 6e-5
TOTAL_STEPS = 160_000
WARMUP_STEPS = 1_500
LONGEST_WARMUP = 0.1
"""The longest warm-up as a share of the run: the paper's 1,500 steps would take up all of a short fine-tuning."""


def default_schedule() -> FitLengthSchedule:
    """Returns the paper's learning rate over 160,000 steps, which `fit_schedule` adapts to other runs."""
    return FitLengthSchedule(RATE, TOTAL_STEPS, WARMUP_STEPS)


def default_optimizer(learning_rate: Any) -> GroupedAdamW:
    """AdamW with the decay and parameter groups of the paper (section 4.1 and the original configs).

    Args:
        learning_rate: A number or a schedule.

    Returns:
        A new optimizer.
    """
    return GroupedAdamW(learning_rate, weight_decay=0.01)


def default_loss(label_set: LabelSet) -> SegmentationLoss:
    """Cross-entropy over the labelled pixels.

    Args:
        label_set: The classes; pixels with its `ignore_index` do not count.

    Returns:
        The loss.
    """
    return SegmentationLoss(ignore_class=label_set.ignore_index)


def default_metrics(num_classes: int, ignore_class: int) -> list[keras.metrics.Metric]:
    """Mean IoU and pixel accuracy.

    Args:
        num_classes: Channels of the logits.
        ignore_class: The label of pixels that do not count, which should be that of the loss.

    Returns:
        New metrics.
    """
    return [MeanIoU(num_classes, ignore_class=ignore_class), PixelAccuracy(ignore_class=ignore_class)]


def fit_schedule(schedule: WarmupPolynomial, first_step: int, total_steps: int | None) -> None:
    """Adapts a schedule to the run that is about to begin.

    Args:
        schedule: What `default_schedule` returned.
        first_step: The optimizer's count of steps before the run.
        total_steps: Steps of the run; `None` if they are unknown. Then the rate stays constant after the warm-up.
    """
    schedule.first_step = first_step
    schedule.total_steps = total_steps or TOTAL_STEPS
    schedule.warmup_steps = (
        WARMUP_STEPS if total_steps is None else min(WARMUP_STEPS, int(LONGEST_WARMUP * total_steps))
    )
    schedule.power = 0.0 if total_steps is None else 1.0


def steps_of_fit(
    data: Any, batch_size: int | None, epochs: int, initial_epoch: int, steps_per_epoch: int | None, split: float
) -> int | None:
    """Counts the optimizer steps that a call of `fit` will make, if that is known.

    Args:
        data: Its first argument.
        batch_size: As given to `fit`.
        epochs: As given to `fit`.
        initial_epoch: As given to `fit`.
        steps_per_epoch: As given to `fit`.
        split: Its `validation_split`.

    Returns:
        The steps, or `None`.

    Example:

    >>> steps_of_fit([0] * 100, batch_size=8, epochs=3, initial_epoch=1, steps_per_epoch=None, split=0.2)
    20
    """
    per_epoch = _batches(data, batch_size or 32, split or 0.0) if steps_per_epoch is None else steps_per_epoch
    steps = (epochs - initial_epoch) * (per_epoch or 0)
    return steps if steps > 0 else None


def _batches(data: Any, batch_size: int, split: float) -> int | None:
    """The number of batches of an epoch, or `None` if it is unknown."""
    if isinstance(data, keras.utils.PyDataset):
        return data.num_batches
    try:
        length = len(data)
    except TypeError:
        return None
    # The length of arrays is in examples, that of TensorFlow's data sets and PyTorch's loaders in batches.
    is_array = hasattr(data, "shape") or isinstance(data, list | tuple)
    return -(-math.floor(length * (1.0 - split)) // batch_size) if is_array else length
