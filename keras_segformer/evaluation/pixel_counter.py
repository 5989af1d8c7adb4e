"""Keras metrics that count pixels: on the device, in constant memory, exact."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_segformer.mask_rules import IGNORE, MaskRules, check_mask_shape, check_sizes
from keras_segformer.mask_tensors import concrete, read_labels
from keras_segformer.ops import predicted_labels, resize_bilinear, spatial_shape

_BASE = 2.0**16
_BINARY_LABELS = 2
_FAULTY = "has seen labels that are no class; map the values of the masks to class indices"


class PixelCounter(keras.metrics.Metric):
    """Counts pixels in cells. Subclasses define the cells, and the score that is computed from them.

    A count is stored as `high * 65536 + low`, both float32. A single float32 would stop counting at 16.8 million, int32
    overflows after a thousand Cityscapes pictures, wider types are not available on JAX by default nor on TPUs, and
    TensorFlow does not keep integer variables on GPUs. The pair is exact up to 10^12 pixels in a cell, even when the
    copies of up to 256 replicas are summed.
    """

    def __init__(self, cells: int, name: str | None, dtype: Any, ignore_class: int) -> None:
        super().__init__(name=name, dtype=dtype)
        self._direction = "up"  # which Keras' callbacks ask in mode "auto"
        self.ignore_class = ignore_class
        self.cells = cells
        self.low = self.add_variable((cells,), "zeros", dtype="float32", name="low")
        self.high = self.add_variable((cells,), "zeros", dtype="float32", name="high")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts the pixels of a batch.

        Args:
            y_true: Class indices `(B, H, W)` or `(B, H, W, 1)`, integers or whole floats; `ignore_class` is left out.
            y_pred: Logits `(B, h, w, C)`, or `(B, h, w, 1)` of a binary model. They are enlarged bilinearly to the
                size of the labels, as `segment` does, before classes are compared.
            sample_weight: Not taken, since pixels are counted.

        Raises:
            ValueError: A shape does not fit, a label is not a class, or a weight is given. (Inside XLA and JAX, which
                have no assertions, a label that is not a class makes the result NaN.)
        """
        if sample_weight is not None:
            raise ValueError(
                f"The metric {self.name!r} counts pixels and takes no weights; pass it as one of `metrics`, not "
                f"`weighted_metrics`, and set pixels that should not count to {self.ignore_class}."
            )
        masks, logits = ops.convert_to_tensor(y_true), ops.cast(y_pred, "float32")
        self._check_shapes(masks.shape, logits.shape)
        labels, counted, faulty = read_labels(masks, MaskRules.of_logits(logits.shape[-1], self.ignore_class))
        predictions = predicted_labels(resize_bilinear(logits, spatial_shape(labels)))
        cells = ops.where(counted, self._cells_of(labels, predictions, counted), self.cells)  # (..., B, H, W)
        cells = ops.reshape(cells, (-1,))  # (... · B · H · W,)
        counts = ops.segment_sum(ops.ones_like(cells), cells, num_segments=self.cells + 1)[: self.cells]
        self._add(counts)
        self.low.assign(self.low + ops.where(ops.any(faulty), float("nan"), 0.0))

    def _cells_of(self, labels: Any, predictions: Any, counted: Any) -> Any:
        """The cell of every pixel.

        Args:
            labels: `(B, H, W)`, int32.
            predictions: `(B, H, W)`, int32.
            counted: Which pixels count, `(B, H, W)`.

        Returns:
            `(B, H, W)`, or `(n, B, H, W)` where a pixel counts in several; `self.cells` where in none.
        """
        raise NotImplementedError

    def _add(self, counts: Any) -> None:
        low = self.low + ops.cast(counts % int(_BASE), "float32")
        carry = ops.floor(low / _BASE)
        self.low.assign(low - carry * _BASE)
        self.high.assign(self.high + ops.cast(counts // int(_BASE), "float32") + carry)

    def _counts(self) -> Any:
        """All counts `(cells,)`, rounded to float32."""
        return self.high * _BASE + self.low

    def exact_counts(self) -> np.ndarray:
        """Returns all counts so far, `(cells,)`, int64.

        Raises:
            ValueError: A batch contained labels that are not a class.
        """
        low, high = (np.asarray(ops.convert_to_numpy(variable)) for variable in (self.low, self.high))
        if np.isnan(low).any():
            raise ValueError(f"The metric {self.name!r} {_FAULTY}.")
        return high.astype(np.int64) * int(_BASE) + low.astype(np.int64)

    def result(self) -> Any:
        """Computes the score of all pixels so far.

        Returns:
            The score; NaN, with a warning, where no pixel has a label.
        """
        counts = self._counts()
        total = concrete(ops.sum(counts))
        if total is not None and not total > 0:
            reason = _FAULTY if np.isnan(total) else f"has seen no pixel with a label: all are {self.ignore_class}"
            warnings.warn(f"The metric {self.name!r} {reason}; its result is NaN.", stacklevel=2)
        return ops.cast(self._result(counts), self.dtype)

    def _result(self, counts: Any) -> Any:
        """The score, from all counts `(cells,)`, float32."""
        raise NotImplementedError

    def _check_shapes(self, masks: tuple[int | None, ...], logits: tuple[int | None, ...]) -> None:
        if len(logits) != 4:
            raise ValueError(f"The metric {self.name!r} takes logits (B, h, w, C); got {tuple(logits)}.")
        check_mask_shape(masks, _label_count(logits))
        check_sizes(logits[1:3], masks[1:3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ignore_class": self.ignore_class}


class ClassMetric(PixelCounter):
    """Counts pixels by class, and averages a score over the classes for which it is defined.

    Args:
        num_classes: Channels of the logits; 1 is binary segmentation, which has two labels.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.
        ignore_class: The label of pixels that are left out.
        target_class_ids: The classes that the mean is over, all by default: `[3]` gives the score of class 3.

    Raises:
        ValueError: A target is not a class, or there are no targets.
    """

    default_name: str

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int = IGNORE,
        target_class_ids: Sequence[int] | None = None,
    ) -> None:
        self.num_classes = num_classes
        self.num_labels = _BINARY_LABELS if num_classes == 1 else num_classes
        self.target_class_ids = None if target_class_ids is None else [int(index) for index in target_class_ids]
        if self.target_class_ids == [] or not all(
            0 <= index < self.num_labels for index in self.target_class_ids or ()
        ):
            raise ValueError(
                f"`target_class_ids` must be classes, 0 to {self.num_labels - 1}, or None for all; got "
                f"{self.target_class_ids}."
            )
        super().__init__(self._number_of_cells(), name or self.default_name, dtype, ignore_class)

    def _number_of_cells(self) -> int:
        raise NotImplementedError

    def _of_targets(self, by_class: Any) -> Any:
        """The numbers `(num_labels,)` of the classes that the mean is over."""
        return by_class if self.target_class_ids is None else ops.take(by_class, self.target_class_ids)

    def get_config(self) -> dict[str, Any]:
        own = {"num_classes": self.num_classes, "target_class_ids": self.target_class_ids}
        return {**super().get_config(), **own}

    def _check_shapes(self, masks: tuple[int | None, ...], logits: tuple[int | None, ...]) -> None:
        super()._check_shapes(masks, logits)
        if _label_count(logits) != self.num_labels:
            raise ValueError(
                f"The metric {self.name!r} is for {self.num_classes} classes, but the logits have {logits[-1]} "
                f"channels; make it with num_classes={logits[-1]}."
            )


def mean_of_ratios(numerators: Any, denominators: Any) -> Any:
    """The mean over the classes whose denominator is not zero; NaN where there is none.

    Args:
        numerators: `(classes,)`, float32.
        denominators: `(classes,)`, float32, not negative.

    Returns:
        A scalar.

    Example:

    >>> float(mean_of_ratios(ops.array([1.0, 0.0]), ops.array([2.0, 0.0])))
    0.5
    """
    defined = denominators > 0
    ratios = ops.where(defined, numerators / ops.where(defined, denominators, 1.0), 0.0)
    return ops.sum(ratios) / ops.sum(ops.cast(defined, "float32"))


def _label_count(logits: tuple[int | None, ...]) -> int:
    return _BINARY_LABELS if logits[-1] == 1 else logits[-1]
