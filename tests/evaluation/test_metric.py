"""The scores of the confusion matrix as Keras metrics."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_segformer.evaluation import (
    ConfusionMatrix,
    FrequencyWeightedIoU,
    MeanAccuracy,
    MeanBoundaryIoU,
    MeanIoU,
    PixelAccuracy,
)
from reference import bilinear_resize

pytestmark = pytest.mark.backend

METRICS = [MeanIoU(3), MeanAccuracy(3), FrequencyWeightedIoU(3), PixelAccuracy(), MeanBoundaryIoU(3)]


@keras.saving.register_keras_serializable("tests")
def no_loss(y_true, y_pred):
    """Keras evaluates nothing without a loss."""
    return keras.ops.zeros(())


def batch(seed: int, num_classes: int, size: tuple[int, int] = (12, 15), stride: int = 1):
    """Labels with 255 and without some classes, and logits at a stride."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 1 + seed % num_classes, (2, *size)).astype("uint8")
    labels[generator.random(labels.shape) < 0.2] = 255
    grid = [-(-length // stride) for length in size]
    return labels, generator.normal(size=(2, *grid, num_classes)).astype("float32")


def counted(batches, num_classes: int) -> ConfusionMatrix:
    matrix = ConfusionMatrix(num_classes)
    for labels, logits in batches:
        enlarged = bilinear_resize(logits, labels.shape[1:])
        matrix.update(labels, enlarged.argmax(axis=-1))
    return matrix


@settings(max_examples=10)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=3))
def test_metrics_are_those_of_the_confusion_matrix(seeds):
    num_classes = 5
    batches = [batch(seed, num_classes) for seed in seeds]
    of_classes = [MeanIoU(num_classes), MeanAccuracy(num_classes), FrequencyWeightedIoU(num_classes)]
    metrics = [*of_classes, PixelAccuracy()]
    for labels, logits in batches:
        for metric in metrics:
            metric.update_state(labels, logits)
    expected = counted(batches, num_classes)
    for metric in metrics:
        np.testing.assert_allclose(float(metric.result()), getattr(expected.scores(), metric.name), rtol=1e-6)
    for metric in of_classes:
        np.testing.assert_array_equal(metric.confusion_matrix().counts, expected.counts)
    mean_iou = of_classes[0]
    mean_iou.reset_state()
    assert mean_iou.confusion_matrix().counts.sum() == 0


@pytest.mark.parametrize(("kind", "score"), [(MeanIoU, "iou"), (MeanAccuracy, "accuracy")])
def test_single_classes(kind, score):
    labels, logits = batch(3, 5)
    metrics = [kind(5, target_class_ids=[index]) for index in range(5)]
    several = kind(5, target_class_ids=[1, 4])
    for metric in (*metrics, several):
        metric.update_state(labels, logits)
    expected = getattr(counted([(labels, logits)], 5).scores(), score)
    np.testing.assert_allclose([float(metric.result()) for metric in metrics], expected, rtol=1e-6)
    np.testing.assert_allclose(float(several.result()), np.nanmean(expected[[1, 4]]), rtol=1e-6)


@pytest.mark.parametrize("size", [(13, 17), (12, 16)])
def test_logits_of_any_stride(size):
    labels, logits = batch(3, 5, size, stride=4)
    metric = MeanIoU(5)
    metric.update_state(labels, logits)
    np.testing.assert_array_equal(metric.confusion_matrix().counts, counted([(labels, logits)], 5).counts)


@pytest.mark.parametrize("num_classes", [1, 2])
def test_single_logits_are_binary(num_classes):
    labels = np.array([[[0, 1, 1, 255]]])
    logits = np.array([-1.0, 2.0, -3.0, 4.0], "float32").reshape(1, 1, 4, 1)
    metric, accuracy = MeanIoU(num_classes), PixelAccuracy()
    metric.update_state(labels, logits)
    accuracy.update_state(labels, logits)
    np.testing.assert_array_equal(metric.confusion_matrix().counts, [[1, 0, 0], [1, 1, 0]])
    assert float(metric.result()) == 0.5
    np.testing.assert_allclose(float(accuracy.result()), 2 / 3, rtol=1e-6)


def test_counts_are_exact_beyond_float32_and_int32():
    metric = MeanIoU(2)
    before = 2**33 + 1
    metric.high.assign([before // 65536, 0, 0, 0])
    metric.low.assign([before % 65536, 0, 0, 65535])
    labels = np.zeros((1, 300, 300), "uint8")
    labels[0, 0, 0] = 1
    metric.update_state(labels, np.eye(2, dtype="float32")[labels])
    counts = metric.confusion_matrix().counts
    assert counts[0, 0] == before + 300 * 300 - 1
    assert counts[1, 1] == 65536
    assert float(metric.low[3]) == 0


@pytest.mark.parametrize("label", [7, -1, 254, 1.5])
def test_labels_that_are_no_class_are_refused(label):
    labels, logits = np.array([[[0, label]]]), np.zeros((1, 1, 2, 3), "float32")
    for metric in METRICS:
        metric.reset_state()
        with pytest.raises(ValueError, match="The masks hold"):
            metric.update_state(labels, logits)


def test_compiled_labels_that_are_no_class_make_it_nan():
    """XLA and JAX know no assertions."""
    inputs = keras.Input((2, 2, 3))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    metric = MeanIoU(3)
    model.compile(loss=no_loss, metrics=[metric], jit_compile=True)
    with pytest.warns(UserWarning, match="'mean_iou' has seen labels that are no class; map"):
        results = model.evaluate(np.zeros((1, 2, 2, 3)), np.full((1, 2, 2), 7), verbose=0, return_dict=True)
    assert np.isnan(results["mean_iou"])
    with pytest.raises(ValueError, match="labels that are no class"):
        metric.confusion_matrix()


def test_nothing_counted_is_nan_with_a_warning():
    labels, logits = batch(0, 3)
    for metric in METRICS:
        metric.reset_state()
        metric.update_state(np.full_like(labels, 255), logits)
        with pytest.warns(UserWarning, match=f"'{metric.name}' has seen no pixel with a label: all are 255"):
            assert np.isnan(float(metric.result()))


def test_masks_may_have_a_channel():
    labels, logits = batch(0, 3)
    for metric in METRICS:
        results = []
        for masks in (labels, labels[..., None], labels.astype("float32")):
            metric.reset_state()
            metric.update_state(masks, logits)
            results.append(float(metric.result()))
        assert results == [results[0]] * 3


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_callbacks_know_that_more_is_better(metric):
    inputs = keras.Input((2, 2, 3))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile(loss=no_loss, metrics=[metric])
    metric.reset_state()
    model.evaluate(np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2)), verbose=0)
    early_stopping = keras.callbacks.EarlyStopping(f"val_{metric.name}")
    checkpoint = keras.callbacks.ModelCheckpoint("best.keras", f"val_{metric.name}", save_best_only=True)
    callbacks = [early_stopping]
    if hasattr(checkpoint, "_set_monitor_op"):  # Keras 3.10 goes by the metric's name; see `check_callbacks`
        callbacks.append(checkpoint)
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin()
        callback._set_monitor_op()
        assert callback.monitor_op(0.9, 0.5)
        assert not callback.monitor_op(0.5, 0.9)


def test_signatures_are_those_of_keras():
    metric = MeanIoU(3, "x", "float32", 9)
    assert (metric.name, metric.dtype, metric.ignore_class) == ("x", "float32", 9)
    accuracy = PixelAccuracy("y", "float32", 9)
    assert (accuracy.name, accuracy.dtype, accuracy.ignore_class) == ("y", "float32", 9)


def test_bad_arguments_are_refused():
    labels, logits = batch(0, 3)
    with pytest.raises(ValueError, match="one-hot masks"):
        MeanIoU(3).update_state(np.eye(3)[np.minimum(labels, 2)], logits)
    with pytest.raises(ValueError, match=r"15x12 .* do not fit logits of 12x15; the masks are transposed"):
        MeanIoU(3).update_state(labels.transpose(0, 2, 1), logits)
    with pytest.raises(ValueError, match="num_classes=3"):
        MeanIoU(4).update_state(labels, logits)
    for targets in ([0, 3], [-1], []):
        with pytest.raises(ValueError, match="must be classes, 0 to 2"):
            MeanIoU(3, target_class_ids=targets)
    for metric in (MeanIoU(3), PixelAccuracy()):
        with pytest.raises(ValueError, match="takes no weights"):
            metric.update_state(labels, logits, sample_weight=np.ones(2))


@pytest.mark.parametrize(("num_classes", "stride"), [(5, 1), (5, 4), (1, 4)])
def test_in_a_compiled_model_that_is_saved(tmp_path, num_classes, stride):
    keras.utils.set_random_seed(0)
    images = keras.Input((45, 66, 3))
    logits = keras.layers.Conv2D(num_classes, 3, stride, padding="same", data_format="channels_last")(images)
    model = keras.Model(images, logits)
    model.compile("sgd", loss=no_loss, metrics=[MeanIoU(num_classes), PixelAccuracy()])
    labels = batch(3, max(2, num_classes), (45, 66))[0]
    noise = np.random.default_rng(0).normal(size=(2, 45, 66, 3)).astype("float32")
    results = model.evaluate(noise, labels, batch_size=1, verbose=0, return_dict=True)
    logits = keras.ops.convert_to_numpy(model(noise))
    if num_classes == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
    scores = counted([(labels, logits)], max(2, num_classes)).scores()
    np.testing.assert_allclose(results["mean_iou"], scores.mean_iou, atol=1e-3)  # a pixel may be a tie
    np.testing.assert_allclose(results["pixel_accuracy"], scores.pixel_accuracy, atol=1e-3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(noise, labels, batch_size=1, verbose=0, return_dict=True) == results


@pytest.mark.parametrize(
    "metric",
    [
        MeanIoU(7, ignore_class=9, name="x"),
        MeanAccuracy(7, target_class_ids=[2, 3]),
        FrequencyWeightedIoU(1),
        PixelAccuracy(ignore_class=0),
    ],
)
def test_config(metric):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(copy) is type(metric)
    assert copy.get_config() == metric.get_config()


def test_sizes_that_are_unknown_while_tracing():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow traces unknown sizes")
    import tensorflow as tf

    metric = MeanIoU(5)
    signature = [tf.TensorSpec((None, None, None), "uint8"), tf.TensorSpec((None, None, None, 5))]
    update = tf.function(metric.update_state, input_signature=signature)
    labels, logits = batch(3, 5, (13, 17), stride=4)
    update(labels, logits)
    np.testing.assert_array_equal(metric.confusion_matrix().counts, counted([(labels, logits)], 5).counts)
