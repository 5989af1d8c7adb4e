"""`verify` takes files, models and images as a user has them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from keras_segformer.conversion import convert, verify
from keras_segformer.errors import InvalidImageError, PresetNotFoundError
from keras_segformer.presets import save_keras_folder


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


def test_what_is_missing_is_named(file, tiny, folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*gone\.tflite"):
        verify(tmp_path / "gone.tflite", tiny, folder)
    with pytest.raises(IsADirectoryError, match=r"is a folder; name a \.tflite file"):
        verify(folder, tiny, folder)
    with pytest.raises(FileNotFoundError, match="no image found"):
        verify(file, tiny, tmp_path)
    with pytest.raises(PresetNotFoundError):
        verify(file, "b9_nothing", folder)
