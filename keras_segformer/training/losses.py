"""The loss for semantic segmentation, with options for class imbalance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_segformer.mask_rules import MaskRules, check_mask_shape, check_sizes
from keras_segformer.mask_tensors import read_labels
from keras_segformer.ops import (
    cross_entropy,
    global_mean,
    global_sum,
    resize_bilinear,
    spatial_shape,
    with_channel_per_label,
)
from keras_segformer.serialization import register


@register
class SegmentationLoss(keras.losses.Loss):
    """Cross-entropy of logits over the pixels that carry a label.

    The mean is over the labelled pixels of the global batch, on however many replicas it is spread. (PyTorch's
    `CrossEntropyLoss(ignore_index=255)`, hence transformers. mmsegmentation divides by the ignored pixels too.)
    Logits that are smaller than the masks are enlarged bilinearly first. A model with a single logit is binary: mask
    values 0 and 1, sigmoid cross-entropy.

    Masks are class indices `(B, H, W)` or `(B, H, W, 1)`, integers or whole floats. A label that is not a class is an
    error; under XLA and JAX, which have no assertions, the loss is NaN instead, and the pixel has no gradient.
    `sample_weight` is one number per picture `(B,)` or per pixel `(B, H, W)`.

    Args:
        ignore_class: Mask value of pixels without label.
        class_weights: A factor for the loss of every class. The mean divides by pixels, not by weights.
        hard_example_threshold: Online hard example mining: only pixels whose label has a probability below this
            count; see `min_kept`.
        min_kept: The share of labelled pixels that mining always keeps, the hardest ones. Under `tf.distribute` each
            replica ranks its own pixels.
        dice_weight: Factor of the soft Dice loss that is added: 1 - 2 Σ p y / (Σ p² + Σ y²), averaged over the
            classes that occur in the batch.
        name: Name of the loss.
        **kwargs: `reduction` and `dtype`, as for every Keras loss.

    Raises:
        ValueError: A number is out of range; in a call, masks of another shape or aspect ratio than the logits, or
            labels that are no class.

    Source: the paper, section 4.1 (plain cross-entropy, no class weights, no mining, no auxiliary loss);
    Shrivastava et al. 2016 (mining); Milletari et al. 2016 (Dice).

    Example:

    >>> loss = SegmentationLoss()
    >>> float(loss(keras.ops.zeros((1, 8, 8), "uint8"), keras.ops.zeros((1, 2, 2, 3)))) > 1
    True
    """

    def __init__(
        self,
        ignore_class: int = 255,
        class_weights: Sequence[float] | None = None,
        hard_example_threshold: float | None = None,
        min_kept: float = 0.1,
        dice_weight: float = 0.0,
        name: str = "segmentation_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if hard_example_threshold is not None and not 0 < hard_example_threshold <= 1:
            raise ValueError(f"`hard_example_threshold` must be a probability above 0; got {hard_example_threshold}.")
        if not 0 < min_kept <= 1:
            raise ValueError(f"`min_kept` must be a share above 0 and at most 1; got {min_kept}.")
        class_weights = None if class_weights is None else _weights(class_weights)
        if class_weights is not None and not any(class_weights) and not dice_weight:
            raise ValueError(
                f"`class_weights` must not all be zero; got {class_weights}: give the classes to learn one above 0."
            )
        if not math.isfinite(dice_weight):
            raise ValueError(f"`dice_weight` must be a finite number; got {dice_weight}.")
        if min(class_weights or [0.0]) < 0 or dice_weight < 0:
            raise ValueError("`dice_weight` and `class_weights` must not be negative; use 0 to leave something out.")
        self.ignore_class = ignore_class
        self.class_weights = class_weights
        self.hard_example_threshold = hard_example_threshold
        self.min_kept = min_kept
        self.dice_weight = dice_weight

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)
            if len(sample_weight.shape) in (1, 2):
                sample_weight = ops.reshape(sample_weight, (-1, 1, 1))  # (B,) or (B, 1) → (B, 1, 1)
        return super().__call__(y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        rules = MaskRules.of_logits(y_pred.shape[-1], self.ignore_class)
        check_mask_shape(y_true.shape, rules.num_labels)
        check_sizes(y_pred.shape[1:3], y_true.shape[1:3])
        labels, valid, faulty = read_labels(y_true, rules)
        logits = resize_bilinear(ops.cast(y_pred, "float32"), spatial_shape(labels), training=True)
        self._check(logits)
        losses = cross_entropy(labels, logits)
        kept = valid if self.hard_example_threshold is None else ops.logical_and(valid, self._hard(losses, valid))
        kept = ops.cast(kept, "float32")
        if self.class_weights is not None:
            losses = losses * ops.take(ops.convert_to_tensor(self.class_weights, "float32"), labels)
        # Keras takes the mean of what is returned over all pixels, so that sample weights work.
        share = global_mean(kept)
        losses = losses * (kept * ops.divide_no_nan(1.0, share))
        if self.dice_weight:
            losses = losses + self.dice_weight * _dice(labels, logits, ops.cast(valid, "float32"))
        return ops.where(faulty, float("nan"), losses)

    def _check(self, logits: Any) -> None:
        channels = logits.shape[-1]
        if self.class_weights is not None and len(self.class_weights) != max(channels, 2):
            raise ValueError(
                f"`class_weights` has {len(self.class_weights)} numbers, the model {max(channels, 2)} classes; give "
                "one for each."
            )

    def _hard(self, losses: Any, valid: Any) -> Any:
        """Returns a mask of the hard pixels: those of low probability, and the hardest `min_kept`."""
        flat = ops.reshape(ops.where(valid, losses, -1.0), (-1,))  # (B * H * W,)
        ranked = ops.flip(ops.sort(flat))
        rank = ops.cast(self.min_kept * ops.sum(ops.cast(valid, "float32")), "int32")
        kept_at_least = ops.take(ranked, ops.maximum(rank - 1, 0))
        # The cross-entropy is -log of the probability.
        return ops.logical_or(losses > -math.log(self.hard_example_threshold), losses >= kept_at_least)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "ignore_class": self.ignore_class,
            "class_weights": self.class_weights,
            "hard_example_threshold": self.hard_example_threshold,
            "min_kept": self.min_kept,
            "dice_weight": self.dice_weight,
        }


def _weights(class_weights: Sequence[float]) -> list[float]:
    """The weights of the classes in their order, as plain numbers."""
    if isinstance(class_weights, Mapping | str | bytes):
        # Of a mapping a loop would take the keys.
        raise ValueError(
            f"`class_weights` must be a list of a number for each class, in the order of the classes; got "
            f"{class_weights!r}."
        )
    weights = [float(weight) for weight in class_weights]
    if not all(map(math.isfinite, weights)):
        raise ValueError(f"`class_weights` must be finite numbers, one for each class; got {weights}.")
    return weights


def _dice(labels: Any, logits: Any, valid: Any) -> Any:
    """Computes the soft Dice loss of the global batch, averaged over the classes that occur; a scalar."""
    logits = with_channel_per_label(logits)
    probabilities = ops.softmax(logits) * valid[..., None]
    truth = ops.one_hot(labels, logits.shape[-1]) * valid[..., None]
    pixels = (0, 1, 2)
    overlap = global_sum(probabilities * truth, axis=pixels)  # (classes,)
    labelled = global_sum(truth, axis=pixels)
    total = global_sum(ops.square(probabilities), axis=pixels) + labelled
    occurs = ops.cast(labelled > 0, "float32")
    scores = 2 * overlap / ops.maximum(total, keras.config.epsilon())
    return ops.sum((1 - scores) * occurs) / ops.maximum(ops.sum(occurs), 1.0)
