"""Boundary IoU (Cheng et al. 2021, arXiv 2103.16562) as a Keras metric."""

from __future__ import annotations

import math
from typing import Any

from keras import ops

from keras_segformer.evaluation.boundary import DILATION_RATIO
from keras_segformer.evaluation.pixel_counter import ClassMetric, mean_of_ratios
from keras_segformer.ops import spatial_shape
from keras_segformer.serialization import register


@register
class MeanBoundaryIoU(ClassMetric):
    """Mean intersection over union of the pixels near contours, over the classes that occur there.

    The same number as the mean of `BoundaryIoU.iou()`, which says what a boundary is, on the device: compiled, on every
    backend, for logits of any stride.

    Args:
        num_classes: Channels of the logits; 1 is binary segmentation, which has two labels.
        name: Name of the metric.
        dtype: Dtype of the metric's result; counts are exact in any case.
        ignore_class: The label of pixels that are left out.
        target_class_ids: The classes that the mean is over, all by default: `[3]` gives the score of class 3.

    Example:

    >>> import numpy as np
    >>> metric = MeanBoundaryIoU(num_classes=2)
    >>> metric.update_state(np.array([[[0, 1, 1]]]), np.eye(2, dtype="float32")[[[[0, 0, 1]]]])
    >>> float(metric.result())
    0.5
    """

    default_name = "mean_boundary_iou"

    def _result(self, counts: Any) -> Any:
        by_class = ops.reshape(counts, (3, self.num_labels))
        intersection, true, found = map(self._of_targets, (by_class[0], by_class[1], by_class[2]))
        return mean_of_ratios(intersection, true + found - intersection)

    def _number_of_cells(self) -> int:
        return 3 * self.num_labels

    def _cells_of(self, labels: Any, predictions: Any, counted: Any) -> Any:
        # Ignored pixels are a region of their own, whose border is a contour.
        labels, predictions = (ops.where(counted, each, self.ignore_class) for each in (labels, predictions))
        distance = _distance(*spatial_shape(labels))
        true, found = near_contour(labels, distance), near_contour(predictions, distance)
        common = true & found & (labels == predictions)
        # A pixel counts up to three times: in both boundaries, in that of the truth, in that of the prediction.
        cells = ((common, labels), (true, labels + self.num_labels), (found, predictions + 2 * self.num_labels))
        return ops.stack([ops.where(near, cell, self.cells) for near, cell in cells])  # (3, B, H, W)


def near_contour(labels: Any, distance: Any) -> Any:
    """Finds the pixels around which there is another label, or the border of the picture.

    As `keras_segformer.evaluation.boundary.near_contour`, on the device.

    Args:
        labels: `(B, H, W)`, int32.
        distance: Largest distance in pixels, vertical, horizontal or diagonal; an integer or a scalar tensor.

    Returns:
        A mask `(B, H, W)`.

    Example:

    >>> near_contour(ops.zeros((1, 3, 4), "int32"), 1)[0].numpy().astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    height, width = spatial_shape(labels)
    below = ops.cast(labels[:, 1:] != labels[:, :-1], "int32")  # pairs of rows, (B, H - 1, W)
    beside = ops.cast(labels[:, :, 1:] != labels[:, :, :-1], "int32")  # pairs of columns, (B, H, W - 1)
    vertical = _sum_around(_sum_around(below, 1, height, distance, distance - 1), 2, width, distance, distance)
    horizontal = _sum_around(_sum_around(beside, 1, height, distance, distance), 2, width, distance, distance - 1)
    border = [_is_near_end(length, distance) for length in (height, width)]
    return (vertical + horizontal > 0) | border[0][:, None] | border[1]


def _sum_around(x: Any, axis: int, length: Any, before: Any, after: Any) -> Any:
    """For every position `i` of `length` along an axis, the sum of `x` from `i - before` to `i + after`."""
    ends = ops.shape(x)[axis]
    start = [[0, 0]] * axis + [[1, 0]] + [[0, 0]] * (len(x.shape) - axis - 1)
    sums = ops.pad(ops.cumsum(x, axis=axis), start)
    positions = ops.arange(length)
    upper, lower = ops.clip(positions + after + 1, 0, ends), ops.clip(positions - before, 0, ends)
    return ops.take(sums, upper, axis=axis) - ops.take(sums, lower, axis=axis)


def _is_near_end(length: Any, distance: Any) -> Any:
    positions = ops.arange(length)
    return (positions < distance) | (positions >= length - distance)


def _distance(height: Any, width: Any) -> Any:
    """The distance to a contour up to which pixels count, for the size of the labels."""
    if isinstance(height, int) and isinstance(width, int):
        return max(1, round(DILATION_RATIO * math.hypot(height, width)))
    # Unknown while tracing.
    diagonal = ops.sqrt(ops.cast(height * height + width * width, "float32"))
    return ops.maximum(ops.cast(ops.round(DILATION_RATIO * diagonal), "int32"), 1)
