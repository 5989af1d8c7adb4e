"""What becomes of the old and of the process when a disk is full: on a small file system, which root can make."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake_datasets import write_folder
from keras_segformer import SegFormer
from keras_segformer.cli import main
from keras_segformer.conversion import convert
from keras_segformer.data import load
from keras_segformer.data.importers import import_labels
from keras_segformer.evaluation import TFLiteModel
from tiny import tiny_config

# What is written here has some hundred kilobytes. Pages of memory, so that a file needs whole ones.
SIZE, PAGE = 2 << 20, 4096
NAMED = r"No space left on device: .*\d\.\d MB are free; make room, or choose a folder on another disk"


@pytest.fixture(scope="module")
def mounted(small_disks) -> Path:
    """A file system of two megabytes."""
    return small_disks(SIZE)


@pytest.fixture
def disk(mounted) -> Path:
    """The file system, empty."""
    for entry in mounted.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return mounted


def fill(disk: Path, free: int) -> None:
    """Leaves so many bytes free."""
    available = shutil.disk_usage(disk).free
    assert available >= free, "the test's own files are too large"
    with (disk / "filler").open("wb") as file:
        file.write(bytes(max(available - free, 0) // PAGE * PAGE))


@pytest.fixture(scope="module")
def models() -> list[SegFormer]:
    """Two models of 0.9 MB."""
    return [SegFormer(tiny_config(num_classes=classes)) for classes in (5, 7)]


@pytest.mark.parametrize("free", [0, PAGE, 10 * PAGE, 50 * PAGE])
def test_save_to_preset(disk, models, free):
    old, new = models
    old.save_to_preset(disk / "preset")
    fill(disk, free)
    with pytest.raises(OSError, match=NAMED) as raised:
        new.save_to_preset(disk / "preset", overwrite=True)
    assert raised.value.errno == errno.ENOSPC
    assert {entry.name for entry in disk.iterdir()} == {"preset", "filler"}
    np.testing.assert_array_equal(SegFormer.from_preset(disk / "preset").get_weights()[0], old.get_weights()[0])


def test_the_space_that_is_needed_is_named(disk, models):
    fill(disk, PAGE)
    with pytest.raises(OSError, match=r"\d\.\d MB are needed and 0\.0 MB are free"):
        models[0].save_to_preset(disk / "preset")


def test_save_to_transformers(disk, models):
    fill(disk, 10 * PAGE)
    with pytest.raises(OSError, match=NAMED):
        models[0].save_to_transformers(disk / "transformers")
    assert {entry.name for entry in disk.iterdir()} == {"filler"}


def test_from_preset_writes_nothing(disk, models, tmp_path, monkeypatch):
    models[0].save_to_preset(tmp_path / "preset")
    fill(disk, 0)
    monkeypatch.setattr("tempfile.tempdir", str(disk))
    assert SegFormer.from_preset(tmp_path / "preset").config.num_classes == 5
    assert {entry.name for entry in disk.iterdir()} == {"filler"}


def test_convert(disk, models):
    path = disk / "model.tflite"
    convert(models[0], path, "float16", input_size=(64, 64), report=False)
    content = path.read_bytes()
    fill(disk, 10 * PAGE)
    with pytest.raises(OSError, match=NAMED):
        convert(models[1], path, "float16", input_size=(64, 64), report=False)
    assert {entry.name for entry in disk.iterdir()} == {"model.tflite", "model.json", "filler"}
    assert path.read_bytes() == content
    assert TFLiteModel(path, isolated=False).label_set.num_classes == 5


def test_predict(disk, models, tmp_path, capsys):
    models[0].save_to_preset(tmp_path / "preset")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    fill(disk, 0)
    arguments = ["predict", tmp_path / "photo.png", "--preset", tmp_path / "preset", "--output", disk / "out"]
    assert main(list(map(str, arguments))) != 0
    assert "No space left on device" in capsys.readouterr().err


def test_data_preparation(disk, tmp_path):
    write_folder(tmp_path / "data", 6)
    fill(disk, 2 * PAGE)
    with pytest.raises(OSError, match=NAMED):
        load("folder", "train", data=tmp_path / "data", cache=disk / "cache")
    (disk / "filler").unlink()
    assert load("folder", "train", data=tmp_path / "data", cache=disk / "cache").size == 6


def test_import(disk, tmp_path):
    write_folder(tmp_path / "export", 6)
    import_labels(tmp_path / "export", disk / "data", "folders")
    before = {file: file.read_bytes() for file in (disk / "data").rglob("*.png")}
    fill(disk, 2 * PAGE)
    with pytest.raises(OSError, match=NAMED):
        import_labels(tmp_path / "export", disk / "data", "folders", overwrite=True)
    assert {file: file.read_bytes() for file in (disk / "data").rglob("*.png")} == before
    assert {entry.name for entry in disk.iterdir()} == {"data", "filler"}
