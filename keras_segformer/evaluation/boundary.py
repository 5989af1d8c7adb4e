"""Boundary IoU (Cheng et al. 2021, arXiv 2103.16562): intersection over union of the pixels near contours.

Plain IoU hardly notices the contours of large objects, which are few pixels among many.
"""

from __future__ import annotations

import math

import numpy as np

from keras_segformer.evaluation.confusion import check_labels, ratio
from keras_segformer.mask_rules import IGNORE, MaskRules

DILATION_RATIO = 0.02
"""The distance to a contour, as a share of the picture's diagonal, up to which pixels count; the paper's choice."""


class BoundaryIoU:
    """Accumulates the boundary IoU of every class over a data set.

    The boundary of a class is its mask without the mask's erosion: the pixels of the class from which another label,
    or the border of the picture, is at most `d` pixels away, diagonals included. Pixels whose label is ignored are
    left out; for the contours, the prediction is ignored there too, so that a right prediction is always perfect.

    Args:
        num_classes: The number of labels.
        ignore_index: The label of pixels that are left out.

    Example:

    >>> accumulator = BoundaryIoU(num_classes=2)
    >>> accumulator.update(labels=np.array([[0, 1, 1]]), predictions=np.array([[0, 0, 1]]))
    >>> accumulator.iou().tolist()
    [0.5, 0.5]
    """

    def __init__(self, num_classes: int, ignore_index: int = IGNORE) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self._intersections = np.zeros(num_classes, np.int64)
        self._areas = np.zeros(num_classes, np.int64)  # of both boundaries together

    def update(self, labels: np.ndarray, predictions: np.ndarray) -> None:
        """Adds one picture.

        Args:
            labels: The truth, integers `(H, W)`.
            predictions: Integers `(H, W)`; values that are not a class index have no boundary.

        Raises:
            ValueError: The shapes differ, a dtype is not integer, or a label is neither a class nor `ignore_index`.
        """
        check_labels(labels, predictions, MaskRules(self.num_classes, self.ignore_index))
        counted = labels != self.ignore_index
        predictions = np.where(counted, predictions.astype(np.int64), self.ignore_index)
        width = max(1, round(DILATION_RATIO * math.hypot(*labels.shape)))
        true_boundary = counted & near_contour(labels, width)
        found_boundary = counted & near_contour(predictions, width)
        self._intersections += self._count(labels[true_boundary & found_boundary & (labels == predictions)])
        self._areas += self._count(labels[true_boundary]) + self._count(predictions[found_boundary])

    def iou(self) -> np.ndarray:
        """Computes the boundary IoU of every class.

        Returns:
            `(num_classes,)`, float64; NaN for a class that occurs neither in the truth nor in the predictions.
        """
        return ratio(self._intersections, self._areas - self._intersections)

    def _count(self, values: np.ndarray) -> np.ndarray:
        classes = values[(values >= 0) & (values < self.num_classes)]
        return np.bincount(classes, minlength=self.num_classes)


def near_contour(labels: np.ndarray, distance: int) -> np.ndarray:
    """Finds the pixels around which there is another label, or the border of the picture.

    A square around a pixel holds a single label if and only if no two neighbours in it differ. So one summed-area
    table of differences does for all classes and any distance what an erosion for each class would do.

    Args:
        labels: Integers `(H, W)`.
        distance: Largest distance in pixels, vertical, horizontal or diagonal; the erosions with a 3x3 square.

    Returns:
        A mask `(H, W)`.

    Example:

    >>> near_contour(np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]), distance=1).astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    near = np.ones(labels.shape, bool)
    side = 2 * distance + 1
    if min(labels.shape) >= side:
        inner = slice(distance, -distance)
        vertical = _box_sums(labels[1:] != labels[:-1], side - 1, side)
        horizontal = _box_sums(labels[:, 1:] != labels[:, :-1], side, side - 1)
        near[inner, inner] = (vertical + horizontal) > 0
    return near


def _box_sums(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """How often a mask `(H, W)` is true in every box, `(H - height + 1, W - width + 1)`."""
    table = np.pad(mask.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32), ((1, 0), (1, 0)))
    return table[height:, width:] - table[height:, :-width] - table[:-height, width:] + table[:-height, :-width]
