"""Conversion of models whose encoder is not a `MixTransformer`."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from comparison import randomize
from keras_segformer import SegFormer
from keras_segformer.conversion import audit, convert, verify
from keras_segformer.runtime import TFLiteRunner
from tiny import light_segmenter, tiny_config


@pytest.fixture(scope="module")
def model():
    model = light_segmenter(decoder_stages=(2, 4), image_mean=(100, 110, 120))
    randomize(model.decoder)
    return model


def assert_same_logits(model, file, photograph, height, width, tolerance=1e-5):
    image = photograph(height, width)
    [logits] = TFLiteRunner(file)(image)
    expected = np.asarray(model.quarter(image))
    np.testing.assert_allclose(logits, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float16", 5e-3), ("dynamic", 0.1)])
def test_logits(model, photograph, tmp_path, precision, tolerance):
    file = tmp_path / "m.tflite"
    facts = convert(model, file, precision, (66, 98), output="logits", report=False)
    assert_same_logits(model, file.read_bytes(), photograph, 66, 98, tolerance)
    assert facts["output"]["shape"] == [1, 17, 25, 5]
    assert facts["precision"] == precision


def test_audit_and_verify(model, photograph, tmp_path):
    file = tmp_path / "m.tflite"
    convert(model, file, input_size=(64, 96), output="labels_full")
    assert audit(file, ["litert"]).faults == ()
    assert verify(file, model, [photograph(64, 96)[0]]).agreement > 0.999


@pytest.mark.parametrize("arguments", [{"precision": "int8"}, {"precision": "dynamic", "fine_tune_steps": 1}])
def test_what_needs_the_layers_is_refused(model, photograph, tmp_path, arguments):
    pictures = [photograph(64, 64)[0] + shift for shift in range(4)]
    with pytest.raises(ValueError, match="choose the precision dynamic"):
        convert(model, tmp_path / "m.tflite", input_size=(64, 64), calibration=pictures, **arguments)


def test_half_precision_is_refused(model, tmp_path):
    inner = keras.Sequential([keras.Input((None, None, 8)), keras.layers.Conv2D(8, 1, dtype="mixed_bfloat16")])
    for half in (light_segmenter(dtype="mixed_float16"), with_layer(model, inner)):
        with pytest.raises(ValueError, match="make it in float32"):
            convert(half, tmp_path / "m.tflite", input_size=(64, 64))


def test_tensorflow_is_needed(model, tmp_path, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow"):
        convert(model, tmp_path / "m.tflite", input_size=(64, 64))


class Control(keras.layers.Layer):
    """A branch and a loop, which become graphs of their own; its shape is not known."""

    def call(self, x):
        x = keras.ops.cond(keras.ops.shape(x)[1] > 1, lambda: 2.0 * x, lambda: x - 1.0)
        return keras.ops.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y / 2 + x), (0, x))[1]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], None, None, input_shape[3])


def with_layer(model, layer):
    """The network with one more layer behind its two finest feature maps."""
    first, second, *others = model.backbone.output
    return SegFormer(model.config, backbone=keras.Model(model.backbone.input, [layer(first), layer(second), *others]))


@pytest.mark.parametrize("resizable", [False, True])
def test_branches_loops_and_unknown_shapes(model, photograph, tmp_path, resizable):
    changed = with_layer(model, Control())
    randomize(changed.decoder)
    file = tmp_path / "m.tflite"
    facts = convert(changed, file, input_size=(66, 98), output="logits", report=False, resizable=resizable)
    assert_same_logits(changed, file.read_bytes(), photograph, 66, 98)
    assert facts["output"]["shape"] == [1, 17, 25, 5]
    assert audit(file, ["litert"]).faults == ()


def test_operations_that_tflite_lacks(model, tmp_path):
    changed = with_layer(model, keras.layers.Lambda(tf.math.igamma, arguments={"x": 1.0}))
    with pytest.raises(
        ValueError, match=r"operations that TF Lite does not have.* \(Igamma\); convert it for one size"
    ):
        convert(changed, tmp_path / "m.tflite", input_size=(64, 64))
    assert not list(tmp_path.iterdir())


def test_files_that_an_older_runtime_lacks(model, tmp_path):
    changed = with_layer(model, keras.Sequential([keras.layers.Dense(256), keras.layers.Dense(8)]))
    needed = convert(changed, tmp_path / "any/m.tflite", "dynamic", (64, 64))["minimum_runtime"]
    if needed != "2.17.0":
        pytest.skip(f"TensorFlow {tf.__version__} writes operations of TF Lite {needed}")
    file = tmp_path / "old/m.tflite"
    with pytest.raises(ValueError, match=r"needs TF Lite 2.17.0, .* choose the precision float16 or float32"):
        convert(changed, file, "dynamic", (64, 64), runtime="tflite-2.16")
    assert not file.exists()
    convert(changed, file, "float16", (64, 64), runtime="tflite-2.16")


@pytest.mark.parametrize(("stride", "place"), [(1, b"at every fourth pixel"), (2, b"at each of 8x12 positions")])
def test_the_file_says_where_its_labels_are(model, tmp_path, stride, place):
    changed = with_layer(model, keras.layers.Conv2D(8, 3, strides=stride, padding="same"))
    convert(changed, tmp_path / "m.tflite", input_size=(64, 96), report=False)
    assert place in (tmp_path / "m.tflite").read_bytes()


@pytest.mark.slow
def test_keras_applications(photograph, tmp_path):
    cnn = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=0.35, input_shape=(None, None, 3))
    names = ("block_2_add", "block_5_add", "block_12_add", "out_relu")
    backbone = keras.Model(cnn.input, [cnn.get_layer(name).output for name in names])
    model = SegFormer(tiny_config(num_classes=1).replace(encoder=None), backbone=backbone)
    file, sizes = tmp_path / "m.tflite", []
    for precision, tolerance in (("float32", 1e-4), ("dynamic", 0.1)):
        sizes.append(convert(model, file, precision, (64, 96), output="logits", report=False)["bytes"])
        assert_same_logits(model, file.read_bytes(), photograph, 64, 96, tolerance)
        assert audit(file, ["litert"]).faults == ()
    assert sizes[1] < sizes[0] / 2
