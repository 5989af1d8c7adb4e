"""The confusion matrix of a data set, and its scores."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras_segformer.mask_rules import IGNORE, MaskRules


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """The scores of a confusion matrix, by the formulas of mmsegmentation's `IoUMetric`.

    Means are over the classes for which the term is defined (nan-mean). A score without any pixels is NaN.

    Args:
        iou: Intersection over union of every class, `(classes,)`, float64; NaN for a class that occurs neither among
            the labels nor among the predictions.
        accuracy: The share of every class's pixels that are predicted right (recall), `(classes,)`, float64; NaN for
            a class without pixels.
        mean_iou: Mean of `iou`.
        mean_accuracy: Mean of `accuracy`.
        pixel_accuracy: The share of all pixels that are predicted right.
        frequency_weighted_iou: Mean of `iou`, weighted by the classes' shares of the pixels.
    """

    iou: np.ndarray
    accuracy: np.ndarray
    mean_iou: float
    mean_accuracy: float
    pixel_accuracy: float
    frequency_weighted_iou: float


class ConfusionMatrix:
    """Counts how often the pixels of every class are predicted as which class.

    Args:
        num_classes: The number of labels; 2 for binary segmentation.
        ignore_index: The label of pixels that are left out, whatever is predicted there.

    Attributes:
        counts: `(num_classes, num_classes + 1)`, int64: labels by predictions. The last column counts predictions that
            are not a class, such as classes without a target in a class mapping. They count as wrong for the label's
            class, and for no other class.

    Example:

    >>> matrix = ConfusionMatrix(num_classes=2)
    >>> matrix.update(labels=np.array([[0, 1, 1, 255]]), predictions=np.array([[0, 0, 1, 0]]))
    >>> matrix.scores().iou.tolist()
    [0.5, 0.5]
    """

    def __init__(self, num_classes: int, ignore_index: int = IGNORE) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.counts = np.zeros((num_classes, num_classes + 1), np.int64)

    def update(self, labels: np.ndarray, predictions: np.ndarray) -> None:
        """Adds the pixels of one or several label maps.

        Args:
            labels: The truth, integers of any shape: class indices, or `ignore_index`.
            predictions: Integers of the same shape. Values that are not a class index count as wrong.

        Raises:
            ValueError: The shapes differ, a dtype is not integer, or a label is neither a class nor `ignore_index`.
        """
        labels, predictions = np.asarray(labels), np.asarray(predictions)
        check_labels(labels, predictions, MaskRules(self.num_classes, self.ignore_index))
        counted = labels != self.ignore_index
        rows, columns = labels[counted].astype(np.int64), predictions[counted].astype(np.int64)
        columns[(columns < 0) | (columns >= self.num_classes)] = self.num_classes
        cells = rows * self.counts.shape[1] + columns
        self.counts += np.bincount(cells, minlength=self.counts.size).reshape(self.counts.shape)

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """Adds the counts of two parts of a data set."""
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        if (self.num_classes, self.ignore_index) != (other.num_classes, other.ignore_index):
            raise ValueError(
                f"Confusion matrices of {self.num_classes} and {other.num_classes} classes, ignoring "
                f"{self.ignore_index} and {other.ignore_index}, cannot be added; count both with the same label set."
            )
        total = ConfusionMatrix(self.num_classes, self.ignore_index)
        total.counts = self.counts + other.counts
        return total

    def scores(self) -> Scores:
        """Computes the scores of all pixels so far.

        Returns:
            The scores.
        """
        right = np.diagonal(self.counts[:, : self.num_classes])
        labelled = self.counts.sum(axis=1)
        predicted = self.counts[:, : self.num_classes].sum(axis=0)
        iou = ratio(right, labelled + predicted - right)
        return Scores(
            iou=iou,
            accuracy=ratio(right, labelled),
            mean_iou=mean_of_defined(iou),
            mean_accuracy=mean_of_defined(ratio(right, labelled)),
            pixel_accuracy=float(ratio(right.sum(), labelled.sum())),
            frequency_weighted_iou=float(ratio(np.nansum(labelled * iou), labelled.sum())),
        )


def check_labels(labels: np.ndarray, predictions: np.ndarray, rules: MaskRules) -> None:
    """Checks the truth and a prediction that are to be compared.

    Args:
        labels: The truth.
        predictions: The prediction, which may hold values that are not a class.
        rules: What the truth may hold.

    Raises:
        ValueError: The shapes differ, a dtype is not integer, or a label is neither a class nor ignored.

    Example:

    >>> check_labels(np.array([0, 255]), np.array([1, 1]), MaskRules(2))
    """
    if labels.shape != predictions.shape:
        raise ValueError(
            f"Labels and predictions must have the same shape, got {labels.shape} and {predictions.shape}; resize "
            "the prediction to the labels' size."
        )
    if labels.dtype.kind not in "iu" or predictions.dtype.kind not in "iu":
        raise ValueError(
            f"Labels and predictions must be integers, got {labels.dtype} and {predictions.dtype}; pass class "
            "indices, the argmax of logits."
        )
    labelled = labels[labels != rules.ignore_index]
    if labelled.size:
        rules.check_range(int(labelled.min()), int(labelled.max()))


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divides counts, with NaN where the denominator is 0.

    Args:
        numerator: Numbers of any shape.
        denominator: Numbers of the same shape, not negative.

    Returns:
        float64 of that shape.

    Example:

    >>> ratio(np.array([1, 0]), np.array([2, 0])).tolist()
    [0.5, nan]
    """
    numerator, denominator = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


def mean_of_defined(values: np.ndarray) -> float:
    """The mean of the values that are not NaN; NaN if all are.

    Args:
        values: float64 of any shape.

    Returns:
        The mean.

    Example:

    >>> mean_of_defined(np.array([0.5, np.nan]))
    0.5
    """
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
