"""SavedModels: what a server returns is what `segment` returns."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_segformer.conversion import export_savedmodel
from keras_segformer.predict import segment
from random_models import random_model
from tiny import light_segmenter


def encoded(height, width, mode="RGB", format="JPEG", orientation=None):
    """The bytes of a file with a picture of noise on a gradient."""
    generator = np.random.default_rng(height)
    ramp = np.linspace(0, 200, height * width).reshape(height, width, 1)
    pixels = (ramp + generator.integers(0, 56, (height, width, len(mode)))).astype(np.uint8)
    image, exif, content = Image.fromarray(pixels.squeeze(), mode), Image.Exif(), io.BytesIO()
    if orientation:
        exif[0x0112] = orientation
    image.save(content, format, exif=exif)
    return content.getvalue()


@pytest.fixture(scope="module")
def model():
    return light_segmenter()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served") / "1"
    return folder, export_savedmodel(model, folder)


@pytest.fixture(scope="module")
def served(exported):
    return tf.saved_model.load(exported[0]).signatures


def test_files_of_several_sizes(model, served):
    files = [
        encoded(60, 90),
        encoded(80, 50, "RGBA", "PNG"),
        encoded(40, 40, "L", "PNG"),
        encoded(70, 44, orientation=6),
    ]
    result = {name: each.numpy() for name, each in served["serve_bytes"](image_bytes=tf.constant(files)).items()}
    assert result["sizes"].tolist() == [[60, 90], [80, 50], [40, 40], [44, 70]]
    for index, file in enumerate(files):
        expected = segment(model, Image.open(io.BytesIO(file)), probabilities=True)
        height, width = expected.labels.shape
        np.testing.assert_array_equal(result["labels"][index, :height, :width], expected.labels)
        found = result["probabilities"][index, :height, :width]
        np.testing.assert_allclose(found, expected.probabilities, atol=1e-5)
        assert np.all(result["labels"][index, height:] == -1)
        assert np.all(result["labels"][index, :, width:] == -1)
        assert not result["probabilities"][index, height:].any()
    labels = served["serve_labels"](image_bytes=tf.constant(files))
    np.testing.assert_array_equal(labels["labels"], result["labels"])
    assert set(labels) == {"labels", "sizes"}


def test_images(model, served):
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    result = served["serving_default"](images=tf.constant(images))
    np.testing.assert_allclose(result["logits"], model.quarter(images), atol=1e-4)
    np.testing.assert_allclose(result["probabilities"], tf.nn.softmax(result["logits"]), atol=1e-6)
    np.testing.assert_array_equal(result["labels"], segment(model, list(images), size="native"))


def test_facts(model, exported):
    folder, facts = exported
    assert json.loads((folder / "assets.extra/facts.json").read_text()) == facts
    assert facts["label_set"]["names"] == list(model.label_set.names)
    assert facts["signatures"]["serving_default"]["inputs"] == {
        "images": {"shape": [None, None, None, 3], "dtype": "uint8"}
    }
    assert facts["signatures"]["serve_labels"]["outputs"].keys() == {"labels", "sizes"}


@pytest.mark.slow
def test_one_logit_and_floats(tmp_path):
    model = light_segmenter(num_classes=1)
    export_savedmodel(model, tmp_path / "1", input="float32")
    served = tf.saved_model.load(tmp_path / "1").signatures
    file = encoded(48, 40)
    result = served["serve_bytes"](image_bytes=tf.constant([file]))
    expected = segment(model, Image.open(io.BytesIO(file)), probabilities=True)
    np.testing.assert_array_equal(result["labels"][0], expected.labels)
    np.testing.assert_allclose(result["probabilities"][0], expected.probabilities, atol=1e-5)
    assert served["serving_default"].structured_input_signature[1]["images"].dtype == tf.float32


def test_existing_folders_are_kept(model, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite"):
        export_savedmodel(model, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_wrong_arguments(model, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="choose one of uint8, float32"):
        export_savedmodel(model, tmp_path / "1", input="int8")
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow"):
        export_savedmodel(model, tmp_path / "1")


SERVER = """
import sys
sys.modules |= dict.fromkeys(("keras", "keras_segformer", "conversion"))  # as if they were not installed
import numpy, tensorflow
served = tensorflow.saved_model.load(sys.argv[1]).signatures["serve_labels"]
numpy.save(sys.argv[3], served(image_bytes=tensorflow.io.read_file(sys.argv[2])[None])["labels"])
"""


@pytest.mark.slow
def test_a_server_needs_neither_this_package_nor_keras(tmp_path):
    model, picture, found = random_model("tiny"), tmp_path / "a.jpg", tmp_path / "labels.npy"
    export_savedmodel(model, tmp_path / "1")
    picture.write_bytes(encoded(60, 90))
    subprocess.run([sys.executable, "-c", SERVER, tmp_path / "1", picture, found], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(found)[0], segment(model, picture))
