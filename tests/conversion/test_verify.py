"""`verify` takes files, models and images as a user has them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.conversion import convert, verify
from keras_segformer.conversion.tflite.export import export
from keras_segformer.errors import InvalidImageError, PresetNotFoundError
from keras_segformer.presets import save_keras_folder
from tiny import tiny_config


@pytest.fixture(scope="module")
def file(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "m.tflite"
    convert(tiny, path, input_size=(64, 96), report=False)
    return path


@pytest.fixture(scope="module")
def folder(photograph, tmp_path_factory):
    path = tmp_path_factory.mktemp("images")
    for size in (40, 64):
        Image.fromarray(photograph(size, 2 * size)[0]).save(path / f"{size}.png")
    return path


def test_folder_of_images_and_preset(file, tiny, folder, tmp_path):
    save_keras_folder(tiny, tmp_path / "preset")
    result = verify(str(file), tmp_path / "preset", folder)
    assert result.agreements == {"40.png": 1.0, "64.png": 1.0}


def test_arrays_and_paths(file, tiny, folder):
    images = [np.asarray(Image.open(folder / "40.png")), folder / "64.png"]
    steps = []
    result = verify(file.read_bytes(), tiny, images, lambda text, count: lambda: steps.append(count))
    assert result.agreements == {"image 0": 1.0, "64.png": 1.0}
    assert steps == [2, 2]


def test_bit_depth(file, tiny, folder, photograph, tmp_path):
    photograph = photograph(40, 80)[0]
    Image.fromarray(photograph[..., 0].astype(np.uint16) * 16).save(tmp_path / "scan.png")
    with pytest.raises(InvalidImageError, match="--bit-depth 12"):
        verify(file, tiny, tmp_path)
    assert verify(file, tiny, tmp_path, bit_depth=12).agreements == {"scan.png": 1.0}


def test_pictures_of_one_name(file, tiny, folder, tmp_path):
    for part in ("a", "b"):
        shutil.copytree(folder, tmp_path / part)
    found = verify(file, tiny, f"{tmp_path}/*/*.png")
    assert list(found.agreements) == ["40.png", "64.png", "40.png (2)", "64.png (2)"]


@pytest.mark.parametrize("output", ["labels", "logits", "probabilities"])
@pytest.mark.parametrize("num_classes", [1, 3, 8])
def test_other_number_of_classes(tiny, folder, output, num_classes, tmp_path):
    model = SegFormer(tiny_config(num_classes=num_classes))
    convert(model, tmp_path / "m.tflite", input_size=(64, 64), output=output, report=False)
    message = f"The file has {max(2, num_classes)} classes and the network 5; name the preset"
    with pytest.raises(ValueError, match=message):
        verify(tmp_path / "m.tflite", tiny, folder)
    if output != "labels":  # which do not say how many there are
        with pytest.raises(ValueError, match=message):
            verify((tmp_path / "m.tflite").read_bytes(), tiny, folder)


def test_labels_that_the_network_does_not_have(tiny, folder, tmp_path):
    model = SegFormer(tiny_config(num_classes=8))
    model.decoder.classifier.bias.assign(np.eye(8)[7] * 100)
    convert(model, tmp_path / "m.tflite", input_size=(64, 64), report=False)
    with pytest.raises(ValueError, match="The file has 8 classes and the network 5"):
        verify((tmp_path / "m.tflite").read_bytes(), tiny, folder)


def test_description_of_another_file(file, tiny, folder, tmp_path):
    shutil.copy(file, tmp_path / "m.tflite")
    (tmp_path / "m.json").write_text(json.dumps({"sha256": "0" * 64, "input": {"border": None}}))
    with pytest.raises(ValueError, match=r"m.json' describes another file than '.*m.tflite'"):
        verify(tmp_path / "m.tflite", tiny, folder)


def test_files_of_other_kinds(tiny, folder, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"\x08\x08onnx" + bytes(20))
    with pytest.raises(ValueError, match=r"m.onnx' is not a TF Lite file; name one whose name ends in .tflite"):
        verify(tmp_path / "m.onnx", tiny, folder)
    with pytest.raises(ValueError, match="The file is a zip archive, not a TF Lite file"):
        verify(b"PK\3\4" + bytes(20), tiny, folder)


def test_files_that_are_no_segmentation_network(tiny, folder, tmp_path):
    images = tf.TensorSpec((1, 64, 64, 1), tf.float32)
    function = tf.function(lambda x: {"grey": x * 2}, autograph=False).get_concrete_function(images)
    (tmp_path / "m.tflite").write_bytes(export(function, "float32"))
    with pytest.raises(ValueError, match=r"m.tflite' has the shape \(1, 64, 64, 1\); convert the model"):
        verify(tmp_path / "m.tflite", tiny, folder)


def test_what_is_missing_is_named(file, tiny, folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*gone\.tflite"):
        verify(tmp_path / "gone.tflite", tiny, folder)
    with pytest.raises(IsADirectoryError, match=r"is a folder; name a \.tflite file"):
        verify(folder, tiny, folder)
    with pytest.raises(FileNotFoundError, match="no image found"):
        verify(file, tiny, tmp_path)
    with pytest.raises(PresetNotFoundError):
        verify(file, "b9_nothing", folder)
