"""The confusion matrix and its scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segformer.evaluation import ConfusionMatrix

FIELDS = ("iou", "accuracy", "mean_iou", "mean_accuracy", "pixel_accuracy", "frequency_weighted_iou")


def literal_scores(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> dict:
    """mmsegmentation's formulas, class by class."""
    counted = labels != 255
    labels, predictions = labels[counted], predictions[counted]
    iou, accuracy, frequency = [], [], []
    for index in range(num_classes):
        intersect = int(((labels == index) & (predictions == index)).sum())
        area_label, area_predicted = int((labels == index).sum()), int((predictions == index).sum())
        union = area_label + area_predicted - intersect
        iou.append(intersect / union if union else np.nan)
        accuracy.append(intersect / area_label if area_label else np.nan)
        frequency.append(area_label / labels.size if labels.size else np.nan)
    defined = [value for value in iou if not np.isnan(value)]
    recalls = [value for value in accuracy if not np.isnan(value)]
    return {
        "iou": iou,
        "accuracy": accuracy,
        "mean_iou": sum(defined) / len(defined) if defined else np.nan,
        "mean_accuracy": sum(recalls) / len(recalls) if recalls else np.nan,
        "pixel_accuracy": (labels == predictions).sum() / labels.size if labels.size else np.nan,
        "frequency_weighted_iou": (
            sum(share * value for share, value in zip(frequency, iou, strict=True) if share > 0)
            if labels.size
            else np.nan
        ),
    }


@st.composite
def label_maps(draw) -> tuple[np.ndarray, np.ndarray, int]:
    """Labels with 255, predictions with values that are no class, and often classes that are in neither."""
    num_classes = draw(st.integers(1, 8))
    size = draw(st.integers(0, 40))
    classes = st.integers(0, num_classes - 1)
    labels = draw(st.lists(classes | st.just(255), min_size=size, max_size=size))
    predictions = draw(st.lists(classes | st.sampled_from([-1, num_classes, 255]), min_size=size, max_size=size))
    return np.array(labels, np.uint8), np.array(predictions, np.int32), num_classes


def assert_scores(matrix: ConfusionMatrix, expected: dict) -> None:
    scores = matrix.scores()
    for field in FIELDS:
        np.testing.assert_allclose(getattr(scores, field), expected[field], rtol=1e-12, err_msg=field)


@given(label_maps())
def test_scores_are_those_of_mmsegmentations_formulas(maps):
    labels, predictions, num_classes = maps
    matrix = ConfusionMatrix(num_classes)
    matrix.update(labels, predictions)
    assert_scores(matrix, literal_scores(labels, predictions, num_classes))


@given(label_maps(), st.integers(0, 40))
def test_parts_add_up(maps, cut):
    labels, predictions, num_classes = maps
    whole, first, second = (ConfusionMatrix(num_classes) for _ in range(3))
    whole.update(labels, predictions)
    first.update(labels[:cut], predictions[:cut])
    second.update(labels[cut:], predictions[cut:])
    np.testing.assert_array_equal((first + second).counts, whole.counts)
    first.update(labels[cut:], predictions[cut:])
    np.testing.assert_array_equal(first.counts, whole.counts)


def test_rows_are_labels_and_the_last_column_is_no_class():
    matrix = ConfusionMatrix(2)
    matrix.update(np.array([[0, 0, 1, 1, 255]]), np.array([[1, 1, 1, 2, 0]]))
    np.testing.assert_array_equal(matrix.counts, [[0, 2, 0], [0, 1, 1]])
    # 'No class' is an error for the label's class, and no false positive for any other.
    np.testing.assert_allclose(matrix.scores().iou, [0, 1 / 4])
    assert matrix.scores().pixel_accuracy == 1 / 4


def test_another_ignore_index():
    matrix = ConfusionMatrix(300, ignore_index=65535)
    matrix.update(np.array([255, 65535, 299], np.uint16), np.array([255, 0, 299], np.int32))
    assert matrix.counts.sum() == 2
    assert matrix.scores().mean_iou == 1


def test_nothing_counted_scores_nan():
    matrix = ConfusionMatrix(3)
    matrix.update(np.full((4, 4), 255, np.uint8), np.zeros((4, 4), np.uint8))
    scores = matrix.scores()
    assert all(np.isnan(getattr(scores, field)).all() for field in FIELDS)


def test_counts_do_not_overflow():
    matrix = ConfusionMatrix(2)
    matrix.counts[0, 0] = 2**62
    matrix.update(np.zeros(3, np.uint8), np.zeros(3, np.uint8))
    assert matrix.counts[0, 0] == 2**62 + 3


def test_bad_maps_are_refused():
    matrix = ConfusionMatrix(3)
    zeros = np.zeros((2, 2), np.uint8)
    with pytest.raises(ValueError, match="same shape"):
        matrix.update(zeros, zeros[:1])
    with pytest.raises(ValueError, match="must be integers"):
        matrix.update(zeros, zeros.astype("float32"))
    for value in (3, 254):
        with pytest.raises(ValueError, match="the classes are 0 to 2 and 255 is ignored; map"):
            matrix.update(np.full((2, 2), value, np.uint8), zeros)
    with pytest.raises(ValueError, match="the classes are 0 to 2"):
        matrix.update(np.full((2, 2), -1), zeros)
    assert matrix.counts.sum() == 0


def test_different_matrices_do_not_add():
    with pytest.raises(ValueError, match="same label set"):
        ConfusionMatrix(3) + ConfusionMatrix(4)
    with pytest.raises(TypeError):
        ConfusionMatrix(3) + 1
