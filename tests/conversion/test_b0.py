"""The real B0 at 512x512: exactness on photographs, memory and file size."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from comparison import assert_close
from keras_segformer import SegFormer
from keras_segformer.conversion import convert
from keras_segformer.conversion.report.verification import verify_content
from keras_segformer.conversion.tflite.arena import arena_bytes
from keras_segformer.images import load_image

pytestmark = pytest.mark.slow

SIZE = (512, 512)
MAX_ARENA = 40e6
MAX_FLOAT16_FILE = 7.4e6
MAX_INT8_FILE = 5e6


@pytest.fixture(scope="module")
def b0(shared):
    return SegFormer.from_preset(shared / "weights/b0_ade20k", output_stride=4)


@pytest.fixture(scope="module")
def photographs(shared):
    files = [shared / "data/coco_cats_000000039769.png", *sorted(shared.glob("data/ade20k_samples/**/*.jpg"))]
    files += sorted((shared / "data/camvid/val/images").iterdir())[:4]
    assert len(files) >= 6
    images = []
    for file in files:
        with Image.open(file) as image:
            images.append(np.asarray(image.convert("RGB").resize(SIZE[::-1], Image.Resampling.BILINEAR)))
    return np.stack(images)


def test_float32(b0, photographs, run_file, tmp_path):
    file = tmp_path / "b0.tflite"
    convert(b0, file, input_size=SIZE, input="float32", output="logits", save_memory=True)
    assert arena_bytes(file.read_bytes()) <= MAX_ARENA
    for image in photographs:
        expected = b0.predict_on_batch(image[None])
        logits = run_file(file, image[None])
        assert_close(logits, expected)
        np.testing.assert_array_equal(logits.argmax(-1), expected.argmax(-1))


def test_float16(b0, photographs, run_file, tmp_path):
    file = tmp_path / "b0.tflite"
    facts = convert(b0, file, "float16", SIZE)
    assert facts["bytes"] <= MAX_FLOAT16_FILE
    expected = b0.predict_on_batch(photographs[:1]).argmax(-1)
    assert np.mean(run_file(file, photographs[:1]) == expected) >= 0.998


@pytest.fixture(scope="module")
def calibration(shared):
    return [load_image(path) for path in sorted((shared / "data/camvid/train/images").iterdir())[::23]]


@pytest.fixture(scope="module")
def others(shared):
    files = sorted((shared / "data/camvid/val/images").iterdir())[::10]
    return [(file.name, load_image(file)) for file in files]


def test_int8(b0, calibration, others, tmp_path):
    file = tmp_path / "b0.tflite"
    facts = convert(b0, file, "int8", (256, 256), calibration=calibration)
    assert facts["bytes"] <= MAX_INT8_FILE
    assert facts["quantization"]["integer_share_of_layers"] >= 0.85
    found = verify_content(file.read_bytes(), b0, others)
    assert found.agreement >= 0.99
    assert found.worst_agreement >= 0.95
    assert not found.vanished


def test_dynamic(b0, calibration, others, tmp_path):
    agreements = []
    for images in (None, calibration):  # weights rounded to the nearest, and so that outputs change least
        convert(b0, tmp_path / "b0.tflite", "dynamic", SIZE, calibration=images)
        found = verify_content((tmp_path / "b0.tflite").read_bytes(), b0, others)
        agreements.append(found.agreement)
    assert 0.985 <= agreements[0] < agreements[1]
    assert agreements[1] >= 0.99


def test_labels_at_full_size(b0, photographs, run_file, tmp_path):
    file = tmp_path / "b0.tflite"
    convert(b0, file, input_size=SIZE, output="labels_full", save_memory=True)
    assert arena_bytes(file.read_bytes()) <= MAX_ARENA
    logits = tf.image.resize(b0.predict_on_batch(photographs[:1]), SIZE).numpy()
    assert np.mean(run_file(file, photographs[:1]) == logits.argmax(-1)) >= 1 - 1e-5  # ties between two classes
