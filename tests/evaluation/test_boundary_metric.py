"""Boundary IoU as a Keras metric."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.evaluation import BoundaryIoU, MeanBoundaryIoU
from keras_segformer.evaluation.boundary import near_contour as near_contour_of_array
from keras_segformer.evaluation.boundary_metric import near_contour
from reference import bilinear_resize

pytestmark = pytest.mark.backend

# Distances to contours of 1 and of 2 pixels, and a picture that is all boundary.
SIZES = [(24, 31), (90, 70), (2, 9)]


def batch(size: tuple[int, int], num_classes: int, stride: int = 1):
    """Labels in patches, with 255 and without the last class, and logits that are right in places."""
    generator = np.random.default_rng(sum(size))
    coarse = generator.integers(0, num_classes - 1, (2, size[0] // 8 + 1, size[1] // 8 + 1))
    labels = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, : size[0], : size[1]].astype("uint8")
    grid = [np.arange(0, length, stride) for length in size]
    logits = 3 * np.eye(num_classes)[labels[:, grid[0]][:, :, grid[1]]]
    labels[:, :, : size[1] // 5] = 255
    return labels, (logits + generator.normal(size=logits.shape)).astype("float32")


def expected(labels, logits) -> np.ndarray:
    """The score of every class."""
    predictions = bilinear_resize(logits, labels.shape[1:]).argmax(axis=-1)
    accumulator = BoundaryIoU(logits.shape[-1])
    for each in zip(labels, predictions, strict=True):
        accumulator.update(*each)
    return accumulator.iou()


@pytest.mark.parametrize(("size", "distance"), [*zip(SIZES, (5, 2, 1), strict=True)])
def test_contours_are_those_of_the_accumulator(size, distance):
    labels, _ = batch(size, 4)
    near = keras.ops.convert_to_numpy(near_contour(keras.ops.convert_to_tensor(labels, "int32"), distance))
    np.testing.assert_array_equal(near, [near_contour_of_array(each, distance) for each in labels])


@pytest.mark.parametrize(("size", "stride"), [*zip(SIZES, (4, 1, 1), strict=True)])
def test_the_score_is_that_of_the_accumulator(size, stride):
    labels, logits = batch(size, 4, stride)
    metrics = [MeanBoundaryIoU(4), *(MeanBoundaryIoU(4, target_class_ids=[index]) for index in range(4))]
    for metric in metrics:
        for each in range(2):
            metric.update_state(labels[each : each + 1], logits[each : each + 1])
    scores = expected(labels, logits)
    assert np.isfinite(scores).sum() >= 3
    np.testing.assert_allclose(float(metrics[0].result()), np.nanmean(scores), rtol=1e-6)
    np.testing.assert_allclose([float(metric.result()) for metric in metrics[1:]], scores, rtol=1e-6)
    metrics[0].reset_state()
    with pytest.warns(UserWarning, match="no pixel with a label"):
        assert np.isnan(float(metrics[0].result()))


def test_binary():
    labels, logits = batch((24, 31), 3)
    labels[labels == 2] = 255
    single = (logits[..., 1] - logits[..., 0])[..., None]
    metric = MeanBoundaryIoU(1)
    metric.update_state(labels, single)
    np.testing.assert_allclose(float(metric.result()), np.nanmean(expected(labels, logits[..., :2])), rtol=1e-6)


def test_sizes_that_are_unknown_while_tracing():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow traces unknown sizes")
    import tensorflow as tf

    metric = MeanBoundaryIoU(4)
    signature = [tf.TensorSpec((None, None, None), "uint8"), tf.TensorSpec((None, None, None, 4))]
    labels, logits = batch((90, 70), 4, stride=4)
    tf.function(metric.update_state, input_signature=signature)(labels, logits)
    np.testing.assert_allclose(float(metric.result()), np.nanmean(expected(labels, logits)), rtol=1e-6)


def test_in_a_compiled_model_that_is_saved(tmp_path):
    labels, logits = batch((24, 31), 4)
    inputs = keras.Input((24, 31, 4))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile("sgd", loss, metrics=[MeanBoundaryIoU(4)])
    result = model.evaluate(logits, labels, batch_size=1, verbose=0, return_dict=True)["mean_boundary_iou"]
    np.testing.assert_allclose(result, np.nanmean(expected(labels, logits)), rtol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = loaded.evaluate(logits, labels, batch_size=1, verbose=0, return_dict=True)["mean_boundary_iou"]
    assert again == result
