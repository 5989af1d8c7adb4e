"""Mean IoU and pixel accuracy as Keras metrics: on the device, in constant memory, exact."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_segformer.data.examples import IGNORE
from keras_segformer.evaluation.confusion import ConfusionMatrix
from keras_segformer.layers.bilinear_resize import resize_bilinear, spatial_shape
from keras_segformer.layers.serialization import register

_BASE = 2.0**16
_BINARY_LABELS = 2


class _PixelCounter(keras.metrics.Metric):
    """Counts pixels in cells.

    A count is kept as `high * 65536 + low`, both float32. One float32 would stop counting at 16.8 million, int32
    overflows at a thousand Cityscapes pictures, and wider types are missing on JAX by default and on TPUs; integer
    variables TensorFlow does not keep on GPUs. This pair is exact up to 10^12 pixels in a cell, also when the copies
    of up to 256 replicas are summed.
    """

    def __init__(self, cells: int, ignore_class: int, name: str, dtype: Any) -> None:
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
        predictions = _predicted_labels(resize_bilinear(logits, spatial_shape(labels)))
        is_class = (labels >= 0) & (labels < _label_count(logits.shape))
        counted = is_class & (labels != self.ignore_class)
        cells = ops.where(counted, self._cells_of(labels, predictions), self.cells)  # (B, H, W)
        cells = ops.reshape(cells, (-1,))  # (B · H · W,)
        counts = ops.segment_sum(ops.ones_like(cells), cells, num_segments=self.cells + 1)[: self.cells]
        self._add(counts)

    def _cells_of(self, labels: Any, predictions: Any) -> Any:
        """The cell of every pixel, for labels and predictions `(B, H, W)`."""
        raise NotImplementedError

    def _add(self, counts: Any) -> None:
        low = self.low + ops.cast(counts % int(_BASE), "float32")
        carry = ops.floor(low / _BASE)
        self.low.assign(low - carry * _BASE)
        self.high.assign(self.high + ops.cast(counts // int(_BASE), "float32") + carry)

    def _counts(self) -> Any:
        """All counts `(cells,)`, rounded to float32."""
        return self.high * _BASE + self.low

    def _check_shapes(self, labels: tuple[int | None, ...], logits: tuple[int | None, ...]) -> None:
        if len(labels) != 3 or len(logits) != 4:
            raise ValueError(
                f"The metric {self.name!r} takes labels (B, H, W) and logits (B, h, w, C), got {tuple(labels)} and "
                f"{tuple(logits)}; give class indices without a channel axis."
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "ignore_class": self.ignore_class}


@register
class MeanIoU(_PixelCounter):
    """Mean intersection over union of the whole data set, from one confusion matrix.

    The same number as `ConfusionMatrix.scores().mean_iou` (mmsegmentation's formula): the mean over the classes that
    occur, and not the mean of the batches' values. Works on logits of any stride, compiled, on every backend, and in
    distribution strategies.

    Args:
        num_classes: Channels of the logits; 1 is binary segmentation, which has two labels.
        ignore_class: The label of pixels that are left out.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.

    Example:

    >>> metric = MeanIoU(num_classes=3)
    >>> metric.update_state(np.array([[[0, 1], [1, 255]]]), np.eye(3, dtype="float32")[[[[0, 1], [0, 2]]]])
    >>> float(metric.result())
    0.5
    """

    def __init__(self, num_classes: int, ignore_class: int = IGNORE, name: str = "mean_iou", dtype: Any = None) -> None:
        self.num_classes = num_classes
        self.num_labels = _BINARY_LABELS if num_classes == 1 else num_classes
        super().__init__(self.num_labels**2, ignore_class, name, dtype)

    def result(self) -> Any:
        matrix = ops.reshape(self._counts(), (self.num_labels, self.num_labels))
        right = ops.diagonal(matrix)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - right
        occurs = union > 0
        iou = ops.where(occurs, right / ops.where(occurs, union, 1.0), 0.0)
        return ops.cast(ops.sum(iou) / ops.sum(ops.cast(occurs, "float32")), self.dtype)

    def confusion_matrix(self) -> ConfusionMatrix:
        """Returns the exact counts so far, for the scores of single classes.

        Example:

        ```python
        print(metric.confusion_matrix().scores().iou)
        ```
        """
        low, high = (np.asarray(ops.convert_to_numpy(variable), np.int64) for variable in (self.low, self.high))
        matrix = ConfusionMatrix(self.num_labels, self.ignore_class)
        matrix.counts[:, : self.num_labels] = (high * int(_BASE) + low).reshape(self.num_labels, self.num_labels)
        return matrix

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}

    def _cells_of(self, labels: Any, predictions: Any) -> Any:
        return labels * self.num_labels + predictions

    def _check_shapes(self, labels: tuple[int | None, ...], logits: tuple[int | None, ...]) -> None:
        super()._check_shapes(labels, logits)
        if _label_count(logits) != self.num_labels:
            raise ValueError(
                f"The metric {self.name!r} is for {self.num_classes} classes, but the logits have {logits[-1]} "
                f"channels; make it with num_classes={logits[-1]}."
            )


@register
class PixelAccuracy(_PixelCounter):
    """The share of the labelled pixels of the whole data set that are predicted right.

    Beside `MeanIoU` it costs next to nothing: the compiler finds that both enlarge and compare the same logits.

    Args:
        ignore_class: The label of pixels that are left out.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.

    Example:

    >>> metric = PixelAccuracy()
    >>> metric.update_state(np.array([[[0, 1], [1, 255]]]), np.eye(3, dtype="float32")[[[[0, 1], [1, 2]]]])
    >>> float(metric.result())
    1.0
    """

    def __init__(self, ignore_class: int = IGNORE, name: str = "pixel_accuracy", dtype: Any = None) -> None:
        super().__init__(2, ignore_class, name, dtype)

    def result(self) -> Any:
        counts = self._counts()
        return ops.cast(counts[1] / ops.sum(counts), self.dtype)

    def _cells_of(self, labels: Any, predictions: Any) -> Any:
        return ops.cast(labels == predictions, "int32")


def _label_count(logits: tuple[int | None, ...]) -> int:
    return _BINARY_LABELS if logits[-1] == 1 else logits[-1]


def _predicted_labels(logits: Any) -> Any:
    """Labels `(B, H, W)`, int32, of logits `(B, H, W, C)`."""
    if logits.shape[-1] == 1:
        return ops.cast(logits[..., 0] > 0, "int32")
    return ops.cast(ops.argmax(logits, axis=-1), "int32")
