"""Keras metrics that count pixels: on the device, in constant memory, exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_segformer.data.mask_values import IGNORE
from keras_segformer.ops import predicted_labels, resize_bilinear, spatial_shape

_BASE = 2.0**16
_BINARY_LABELS = 2


class PixelCounter(keras.metrics.Metric):
    """Counts pixels in cells. Subclasses say in which, and what score follows.

    A count is kept as `high * 65536 + low`, both float32. One float32 would stop counting at 16.8 million, int32
    overflows at a thousand Cityscapes pictures, and wider types are missing on JAX by default and on TPUs; integer
    variables TensorFlow does not keep on GPUs. This pair is exact up to 10^12 pixels in a cell, also when the copies
    of up to 256 replicas are summed.
    """

    def __init__(self, cells: int, ignore_class: int, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.ignore_class = ignore_class
        self.cells = cells
        self.low = self.add_variable((cells,), "zeros", dtype="float32", name="low")
        self.high = self.add_variable((cells,), "zeros", dtype="float32", name="high")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts the pixels of a batch.

        Args:
            y_true: Class indices `(B, H, W)`, integer. `ignore_class` and values that are no class are left out.
            y_pred: Logits `(B, h, w, C)`, or `(B, h, w, 1)` of a binary model. They are enlarged bilinearly to the
                size of the labels, as `segment` does, before classes are compared.
            sample_weight: Not taken, since pixels are counted.

        Raises:
            ValueError: A shape does not fit, or a weight is given.
        """
        if sample_weight is not None:
            raise ValueError(
                f"The metric {self.name!r} counts pixels and takes no weights; pass it as one of `metrics`, not "
                f"`weighted_metrics`, and set pixels that should not count to {self.ignore_class}."
            )
        labels, logits = ops.cast(y_true, "int32"), ops.cast(y_pred, "float32")
        self._check_shapes(labels.shape, logits.shape)
        predictions = predicted_labels(resize_bilinear(logits, spatial_shape(labels)))
        is_class = (labels >= 0) & (labels < _label_count(logits.shape))
        counted = is_class & (labels != self.ignore_class)
        cells = ops.where(counted, self._cells_of(labels, predictions, counted), self.cells)  # (..., B, H, W)
        cells = ops.reshape(cells, (-1,))  # (... · B · H · W,)
        counts = ops.segment_sum(ops.ones_like(cells), cells, num_segments=self.cells + 1)[: self.cells]
        self._add(counts)

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
        """All counts so far, `(cells,)`, int64."""
        low, high = (np.asarray(ops.convert_to_numpy(variable), np.int64) for variable in (self.low, self.high))
        return high * int(_BASE) + low

    def _check_shapes(self, labels: tuple[int | None, ...], logits: tuple[int | None, ...]) -> None:
        if len(labels) != 3 or len(logits) != 4:
            raise ValueError(
                f"The metric {self.name!r} takes labels (B, H, W) and logits (B, h, w, C), got {tuple(labels)} and "
                f"{tuple(logits)}; give class indices without a channel axis."
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ignore_class": self.ignore_class}


class ClassMetric(PixelCounter):
    """Counts pixels by class, and averages a score over the classes for which it is defined.

    Args:
        num_classes: Channels of the logits; 1 is binary segmentation, which has two labels.
        ignore_class: The label of pixels that are left out.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.
        target_class_ids: The classes that the mean is over, all by default: `[3]` gives the score of class 3.

    Raises:
        ValueError: A target is no class, or there is none.
    """

    default_name: str

    def __init__(
        self,
        num_classes: int,
        ignore_class: int = IGNORE,
        name: str | None = None,
        dtype: Any = None,
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
        super().__init__(self._number_of_cells(), ignore_class, name or self.default_name, dtype)

    def _number_of_cells(self) -> int:
        raise NotImplementedError

    def _of_targets(self, by_class: Any) -> Any:
        """The numbers `(num_labels,)` of the classes that the mean is over."""
        return by_class if self.target_class_ids is None else ops.take(by_class, self.target_class_ids)

    def get_config(self) -> dict[str, Any]:
        own = {"num_classes": self.num_classes, "target_class_ids": self.target_class_ids}
        return {**super().get_config(), **own}

    def _check_shapes(self, labels: tuple[int | None, ...], logits: tuple[int | None, ...]) -> None:
        super()._check_shapes(labels, logits)
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
