"""TF Lite files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.evaluation import TFLiteModel, evaluate
from keras_segformer.evaluation.tflite import resize_labels
from keras_segformer.label_sets import LabelSet
from keras_segformer.predict.interpolation import resized_rows
from tflite_files import convert

SIZE = (48, 64)

# The converter's own, of every full-integer conversion by representative data.
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")


def network(num_classes: int, stride: int = 4) -> keras.Model:
    """Logits of one convolution over pixels 0..255."""
    keras.utils.set_random_seed(1)
    images = keras.Input((*SIZE, 3), batch_size=1)
    x = keras.layers.Rescaling(1 / 127.5, -1)(images)
    return keras.Model(images, keras.layers.Conv2D(num_classes, stride, stride, data_format="channels_last")(x))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("tflite")


@pytest.fixture(scope="module")
def float_file(folder: Path) -> Path:
    return convert(network(5), folder / "float.tflite")


@pytest.fixture(scope="module")
def label_file(folder: Path) -> Path:
    logits = network(5, stride=1)
    labels = keras.layers.Lambda(lambda x: tf.argmax(x, axis=-1, output_type=tf.int32))(logits.output)
    return convert(keras.Model(logits.input, labels), folder / "labels.tflite")


@pytest.fixture
def image() -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    return coarse.repeat(10, axis=0).repeat(10, axis=1)


def expected_logits(image: np.ndarray, num_classes: int) -> np.ndarray:
    logits = network(num_classes)(resized_rows(image, SIZE)[None])
    logits = keras.ops.image.resize(logits, image.shape[:2], interpolation="bilinear", antialias=False)
    return keras.ops.convert_to_numpy(logits)[0]


def test_float_logits(float_file, image):
    model = TFLiteModel(float_file)
    assert model.input_size == SIZE
    assert model.num_labels == 5
    assert model.label_set is None
    labels = model.segment(image)
    assert labels.shape == (80, 90)
    assert (labels == expected_logits(image, 5).argmax(axis=-1)).mean() > 0.999


def test_mirrored_pictures(float_file, image):
    softmax = keras.ops.softmax
    mirrored = softmax(expected_logits(image[:, ::-1], 5))[:, ::-1]
    expected = np.asarray(softmax(expected_logits(image, 5)) + mirrored).argmax(axis=-1)
    assert (TFLiteModel(float_file).segment(image, flip=True) == expected).mean() > 0.999


@pytest.mark.parametrize("integer", [tf.uint8, tf.int8])
def test_quantized_pixels_and_logits(folder, image, integer):
    model = TFLiteModel(convert(network(5), folder / f"{integer.name}.tflite", integer))
    assert (model.segment(image) == expected_logits(image, 5).argmax(axis=-1)).mean() > 0.95


def test_single_logits_are_binary(folder, image):
    model = TFLiteModel(convert(network(1), folder / "binary.tflite"))
    assert model.num_labels == 2
    labels = model.segment(image)
    assert set(np.unique(labels)) == {0, 1}
    assert (labels == (expected_logits(image, 1)[..., 0] > 0)).mean() > 0.999


def test_labels_are_enlarged_to_the_nearest(label_file, image):
    model = TFLiteModel(label_file)
    assert model.num_labels is None
    found = np.asarray(network(5, stride=1)(resized_rows(image, SIZE)[None]))[0].argmax(axis=-1)
    reference = keras.ops.image.resize(found[..., None], image.shape[:2], interpolation="nearest")
    assert (model.segment(image) == np.asarray(reference)[..., 0]).mean() > 0.999
    with pytest.raises(ValueError, match="leave --flip out"):
        model.segment(image, flip=True)


def test_evaluate(float_file, examples, pictures):
    evaluation = evaluate(TFLiteModel(float_file), examples)
    model = TFLiteModel(float_file)
    right = sum((model.segment(image) == mask).sum() for image, mask in pictures.values())
    assert np.diagonal(evaluation.confusion.counts).sum() == right
    assert evaluation.settings == {"mode": "whole", "size": list(SIZE), "flip": False, "antialias": False}
    for arguments in ({"mode": "slide"}, {"mode": "multiscale"}, {"size": "aligned"}):
        with pytest.raises(ValueError, match="as a whole at 48x64 pixels; leave size and mode out"):
            evaluate(model, examples, **arguments)


def test_label_set_beside_the_file(float_file, label_file, folder):
    def with_json(file: Path, content: str) -> TFLiteModel:
        copy = folder / "named.tflite"
        copy.write_bytes(file.read_bytes())
        copy.with_suffix(".json").write_text(content)
        return TFLiteModel(copy)

    names = json.dumps({"label_set": LabelSet.generic(5).to_dict(), "input": "x"})
    assert with_json(float_file, names).label_set == LabelSet.generic(5)
    assert with_json(label_file, names).num_labels == 5
    assert with_json(float_file, '{"input": "x"}').label_set is None
    with pytest.raises(ValueError, match="names 3 classes, but the model has 5"):
        with_json(float_file, json.dumps({"label_set": LabelSet.generic(3).to_dict()}))
    with pytest.raises(ValueError, match="not valid JSON"):
        with_json(float_file, "{")


def test_file_that_crashes(crashing_file):
    with pytest.raises(ValueError, match=r"crashing.tflite' kills the process that runs it \(signal SIG"):
        TFLiteModel(crashing_file)


def test_in_this_process(float_file, label_file, image):
    for file in (float_file, label_file):
        np.testing.assert_array_equal(
            TFLiteModel(file, isolated=False).segment(image), TFLiteModel(file).segment(image)
        )
    with pytest.raises(FileNotFoundError, match="no file"):
        TFLiteModel(float_file.with_name("missing.tflite"), isolated=False)


def test_resized_labels():
    labels = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(resize_labels(labels, (4, 6)), labels.repeat(2, axis=0).repeat(2, axis=1))
    assert resize_labels(labels, (1, 2)).tolist() == [[3, 5]]


def test_broken_file(float_file, tmp_path):
    (tmp_path / "broken.tflite").write_bytes(float_file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"broken.tflite' (cannot be run|kills the process)"):  # by the runtime's age
        TFLiteModel(tmp_path / "broken.tflite")


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        TFLiteModel(tmp_path / "missing.tflite")
    (tmp_path / "archive.tflite").write_bytes(b"PK" * 10)
    with pytest.raises(ValueError, match="is not a TF Lite file"):
        TFLiteModel(tmp_path / "archive.tflite")
    images = keras.Input((8, 8, 1), batch_size=1)
    grey = convert(keras.Model(images, keras.layers.Conv2D(2, 1)(images)), tmp_path / "grey.tflite")
    with pytest.raises(ValueError, match=r"shape \(1, 8, 8, 1\); convert the model for one picture"):
        TFLiteModel(grey)
    images = keras.Input((8, 8, 3), batch_size=1)
    vector = convert(keras.Model(images, keras.layers.GlobalAveragePooling2D()(images)), tmp_path / "vector.tflite")
    with pytest.raises(ValueError, match="convert the model with logits"):
        TFLiteModel(vector)


def test_the_description_of_another_file_is_refused(float_file, tmp_path):
    """As a conversion that was killed between its two files would leave it."""
    file = tmp_path / "model.tflite"
    file.write_bytes(float_file.read_bytes())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    content = {"label_set": LabelSet.generic(5).to_dict(), "sha256": digest}
    file.with_suffix(".json").write_text(json.dumps(content))
    assert TFLiteModel(file).label_set.num_classes == 5
    file.with_suffix(".json").write_text(json.dumps(content | {"sha256": "0" * 64}))
    with pytest.raises(ValueError, match="describes another file than"):
        TFLiteModel(file)
