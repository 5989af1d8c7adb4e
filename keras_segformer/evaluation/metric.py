"""The scores of the confusion matrix as Keras metrics."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_segformer.evaluation.confusion import ConfusionMatrix
from keras_segformer.evaluation.pixel_counter import ClassMetric, PixelCounter, mean_of_ratios
from keras_segformer.mask_rules import IGNORE
from keras_segformer.serialization import register


class ConfusionMetric(ClassMetric):
    """A score of the confusion matrix of the whole data set.

    The same number as that of `ConfusionMatrix.scores()` (mmsegmentation's formulas): it is computed from all pixels
    together, not as the mean over batches. Works on logits of any stride, compiled, on every backend, and in
    distribution strategies. Several of these metrics together cost little more than one, because the compiler merges
    their identical steps.
    """

    def _result(self, counts: Any) -> Any:
        matrix = ops.reshape(counts, (self.num_labels, self.num_labels))
        by_class = (ops.diagonal(matrix), ops.sum(matrix, axis=1), ops.sum(matrix, axis=0))
        return self._score(*map(self._of_targets, by_class))

    def confusion_matrix(self) -> ConfusionMatrix:
        """Returns the exact counts so far, for all scores of all classes.

        Example:

        ```python
        print(metric.confusion_matrix().scores().iou)
        ```
        """
        matrix = ConfusionMatrix(self.num_labels, self.ignore_class)
        matrix.counts[:, : self.num_labels] = self.exact_counts().reshape(self.num_labels, self.num_labels)
        return matrix

    def _score(self, right: Any, labelled: Any, predicted: Any) -> Any:
        """The score, from the pixels of every class: predicted right, of its label, predicted as it; `(classes,)`."""
        raise NotImplementedError

    def _number_of_cells(self) -> int:
        return self.num_labels**2

    def _cells_of(self, labels: Any, predictions: Any, counted: Any) -> Any:
        return labels * self.num_labels + predictions


@register
class MeanIoU(ConfusionMetric):
    """Mean intersection over union, over the classes that occur among the labels or the predictions.

    Args:
        num_classes: Channels of the logits; 1 is binary segmentation, which has two labels.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.
        ignore_class: The label of pixels that are left out.
        target_class_ids: The classes that the mean is over, all by default: `[3]` gives the IoU of class 3.

    Example:

    >>> import numpy as np
    >>> metric = MeanIoU(num_classes=3)
    >>> metric.update_state(np.array([[[0, 1], [1, 255]]]), np.eye(3, dtype="float32")[[[[0, 1], [0, 2]]]])
    >>> float(metric.result())
    0.5
    """

    default_name = "mean_iou"

    def _score(self, right: Any, labelled: Any, predicted: Any) -> Any:
        return mean_of_ratios(right, labelled + predicted - right)


@register
class MeanAccuracy(ConfusionMetric):
    """Mean over the classes of the share of their pixels that are predicted right (recall).

    Args:
        num_classes: Channels of the logits; 1 is binary segmentation, which has two labels.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.
        ignore_class: The label of pixels that are left out.
        target_class_ids: The classes that the mean is over, all by default: `[3]` gives the accuracy of class 3.

    Example:

    >>> import numpy as np
    >>> metric = MeanAccuracy(num_classes=3)
    >>> metric.update_state(np.array([[[0, 1], [1, 255]]]), np.eye(3, dtype="float32")[[[[0, 1], [0, 2]]]])
    >>> float(metric.result())
    0.75
    """

    default_name = "mean_accuracy"

    def _score(self, right: Any, labelled: Any, predicted: Any) -> Any:
        return mean_of_ratios(right, labelled)


@register
class FrequencyWeightedIoU(ConfusionMetric):
    """Mean intersection over union, every class weighted by its share of the labelled pixels.

    Args:
        num_classes: Channels of the logits; 1 is binary segmentation, which has two labels.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.
        ignore_class: The label of pixels that are left out.
        target_class_ids: The classes that the mean is over; all by default.

    Example:

    >>> import numpy as np
    >>> metric = FrequencyWeightedIoU(num_classes=3)
    >>> metric.update_state(np.array([[[0, 1], [1, 255]]]), np.eye(3, dtype="float32")[[[[0, 1], [0, 2]]]])
    >>> float(metric.result())
    0.5
    """

    default_name = "frequency_weighted_iou"

    def _score(self, right: Any, labelled: Any, predicted: Any) -> Any:
        iou = right / ops.maximum(labelled + predicted - right, 1.0)  # 0 for a class that does not occur
        return ops.sum(labelled * iou) / ops.sum(labelled)


@register
class PixelAccuracy(PixelCounter):
    """The share of the labelled pixels of the whole data set that are predicted right.

    Args:
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.
        ignore_class: The label of pixels that are left out.

    Example:

    >>> import numpy as np
    >>> metric = PixelAccuracy()
    >>> metric.update_state(np.array([[[0, 1], [1, 255]]]), np.eye(3, dtype="float32")[[[[0, 1], [1, 2]]]])
    >>> float(metric.result())
    1.0
    """

    def __init__(self, name: str = "pixel_accuracy", dtype: Any = None, ignore_class: int = IGNORE) -> None:
        super().__init__(2, name, dtype, ignore_class)

    def _result(self, counts: Any) -> Any:
        return counts[1] / ops.sum(counts)

    def _cells_of(self, labels: Any, predictions: Any, counted: Any) -> Any:
        return ops.cast(labels == predictions, "int32")
