"""Boundary IoU."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.stride_tricks import sliding_window_view

from keras_segformer.evaluation import BoundaryIoU
from keras_segformer.evaluation.boundary import near_contour

label_maps = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 2, 255]))] * 2)
)


def literal_boundary(mask: np.ndarray, distance: int) -> np.ndarray:
    """A mask without its erosion, a 3x3 square at a time; outside the picture there is no mask."""
    eroded = mask
    for _ in range(distance):
        eroded = sliding_window_view(np.pad(eroded, 1), (3, 3)).all(axis=(2, 3))
    return mask & ~eroded


def literal_iou(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> list[float]:
    distance = max(1, round(0.02 * math.hypot(*labels.shape)))
    counted = labels != 255
    values = []
    for index in range(num_classes):
        truth = literal_boundary(labels == index, distance) & counted
        found = literal_boundary((predictions == index) & counted, distance)
        union = (truth | found).sum()
        values.append((truth & found).sum() / union if union else np.nan)
    return values


@given(label_maps)
def test_iou_is_that_of_masks_without_their_erosions(maps):
    labels, predictions = maps
    accumulator = BoundaryIoU(3)
    accumulator.update(labels, predictions)
    np.testing.assert_allclose(accumulator.iou(), literal_iou(labels, predictions, 3), rtol=1e-12)


@given(label_maps.map(lambda maps: maps[0]), st.integers(1, 4))
def test_contours_at_any_distance(labels, distance):
    masks = [literal_boundary(labels == value, distance) for value in np.unique(labels)]
    np.testing.assert_array_equal(near_contour(labels, distance), np.any(masks, axis=0))


def test_the_distance_grows_with_the_picture():
    """2% of the diagonal of 480x640 pixels are 16."""
    labels = np.zeros((480, 640), np.uint8)
    labels[:, 320:] = 1
    shifted = np.roll(labels, 4, axis=1)
    shifted[:, :4] = 0
    accumulator = BoundaryIoU(2)
    accumulator.update(labels, shifted)
    np.testing.assert_allclose(accumulator.iou(), literal_iou(labels, shifted, 2))
    assert near_contour(labels, 16)[200, 304:336].all()
    assert not near_contour(labels, 16)[200, [303, 336]].any()


def test_pictures_add_up():
    generator = np.random.default_rng(0)
    accumulator = BoundaryIoU(2)
    intersections, unions = np.zeros(2), np.zeros(2)
    for shape in [(9, 12), (30, 20)]:
        labels, predictions = generator.integers(0, 2, (2, *shape))
        accumulator.update(labels, predictions)
        for index in range(2):
            truth, found = (literal_boundary(values == index, 1) for values in (labels, predictions))
            intersections[index] += (truth & found).sum()
            unions[index] += (truth | found).sum()
    np.testing.assert_allclose(accumulator.iou(), intersections / unions)


@pytest.mark.parametrize("outside", [7, 254])
def test_a_right_prediction_is_perfect_whatever_it_is_where_the_truth_is_ignored(outside):
    labels = np.zeros((40, 60), np.uint8)
    labels[10:20, 10:30] = 1
    labels[:, 40:] = 255
    predictions = labels.copy()
    predictions[:, 40:] = outside
    accumulator = BoundaryIoU(3)
    accumulator.update(labels, predictions)
    np.testing.assert_array_equal(accumulator.iou(), [1, 1, np.nan])


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        (np.array([[0, 7]]), np.array([[0, 0]]), "values from 0 to 7, but the classes are 0 to 1"),
        (np.array([[0, 1]]), np.array([[0]]), "the same shape"),
        (np.array([[0.0, 1.0]]), np.array([[0, 0]]), "must be integers"),
    ],
)
def test_labels_that_are_not_classes_are_refused(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        BoundaryIoU(2).update(labels, predictions)
