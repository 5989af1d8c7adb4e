"""`keras-segformer data`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from fake_datasets import write_camvid, write_folder, write_image
from keras_segformer.cli import main
from keras_segformer.data.augmentation import Augmentation
from keras_segformer.data.grid import sample_grid
from keras_segformer.data.loading import load
from tiny import light_segmenter


@pytest.fixture(autouse=True)
def chosen_log_level(monkeypatch):
    """Keras is imported already; the program must not set the variable for the tests behind this one."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    write_camvid(tmp_path / "camvid")
    return tmp_path / "camvid"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def data(*arguments: object) -> int:
    return main(["data", *map(str, arguments)])


def test_check_prints_the_histogram_of_every_split(camvid, capsys):
    assert data("check", "camvid", "--data", camvid) == 0
    captured = capsys.readouterr()
    assert "train: 2 pairs" in captured.out
    assert "val: 1 pairs" in captured.out
    assert len(re.findall("Bicyclist", captured.out)) == 2
    row = next(line for line in captured.out.splitlines() if "Sky" in line)
    # Twelve values share a hundred blocks: the first four have nine.
    assert row.split() == ["0", "Sky", "9.00%", "2"]
    assert "error" not in captured.err


def test_check_of_one_split_as_json(camvid, tmp_path, capsys):
    assert data("check", "camvid", "--data", camvid, "--split", "val", "--json", tmp_path / "report.json") == 0
    assert "train" not in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert list(report) == ["val"]
    assert report["val"]["good_pairs"] == 1
    assert report["val"]["classes"][3] == {"index": 3, "name": "Road", "pixels": 9 * 20, "images": 1}


def test_check_names_every_problem(camvid, tmp_path, capsys):
    for index in range(5):
        write_image(camvid / f"train/lonely_{index}.png")
    (camvid / "valannot/0016E5_1.png").write_bytes(b"")
    assert data("check", "camvid", "--data", camvid, "--json", tmp_path / "report.json") == 1
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 6
    assert errors[0] == f"error: {camvid}/train/lonely_0.png has no mask"
    assert "0016E5_1.png cannot be read as a PNG" in errors[-1]
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["train"]["problems"]) == 5


def test_check_that_leaves_bad_files_out(camvid, capsys):
    write_image(camvid / "train/lonely.png")
    assert data("check", "camvid", "--data", camvid, "--skip-bad") == 0
    assert f"left out: {camvid}/train/lonely.png has no mask" in capsys.readouterr().err


def test_check_of_another_folder(tmp_path, capsys):
    assert data("check", "ade20k", "--data", tmp_path) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["check"], ["check", "kitti", "--data", "."], ["check", "camvid"], ["show", "camvid"]]
)
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        data(*arguments)
    assert error.value.code == 2
    assert "usage: keras-segformer data" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--debug", "check"], ["check", "--debug"]])
def test_debug_may_stand_before_or_behind_the_action(arguments, tmp_path):
    with pytest.raises(ValueError, match="does not hold"):
        data(*arguments, "camvid", "--data", tmp_path)


def test_show(camvid, cache, tmp_path):
    picture = tmp_path / "pictures/grid.png"
    options = ("--crop", "32x48", "--count", "3", "--seed", "7", "--cache", cache)
    assert data("show", "camvid", "--data", camvid, "--output", picture, *options) == 0
    examples = load("camvid", "train", camvid, cache)
    with Image.open(picture) as image:
        expected = sample_grid(examples, Augmentation(crop_size=(32, 48)), count=3, seed=7)
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_show_follows_a_recipe(camvid, cache, tmp_path):
    options = ("--recipe", "b0_camvid", "--count", "1", "--split", "val", "--cache", cache)
    assert data("show", "camvid", "--data", camvid, "--output", tmp_path / "grid.png", *options) == 0
    with Image.open(tmp_path / "grid.png") as image:
        assert image.height == 192 + 6


def test_show_refuses_bad_files_unless_told(camvid, cache, tmp_path, capsys):
    write_image(camvid / "train/lonely.png")
    options = ("--output", tmp_path / "grid.png", "--crop", "32", "--count", "1", "--cache", cache)
    assert data("show", "camvid", "--data", camvid, *options) == 2
    assert "1 problem: " in capsys.readouterr().err.splitlines()[-1]
    assert data("show", "camvid", "--data", camvid, *options, "--skip-bad") == 0


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    """A folder with a tiny network."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    light_segmenter().save_to_preset(folder)
    return folder


@pytest.mark.usefixtures("without_xla")
def test_speed(preset, tmp_path, cache, capsys):
    write_folder(tmp_path / "pets")
    options = ("--crop", "32x48", "--batch-size", "2", "--batches", "2", "--preset", preset, "--cache", cache)
    assert data("speed", "folder", "--data", tmp_path / "pets", *options) == 0
    pipeline, training, verdict = capsys.readouterr().out.splitlines()
    delivered = float(re.fullmatch(r"pipeline: ([0-9.]+) images/s", pipeline)[1])
    consumed = float(re.fullmatch(r"training: ([0-9.]+) images/s", training)[1])
    assert delivered > 0
    assert consumed > 0
    assert verdict.startswith("The pipeline is" if delivered < consumed else "The model is")


@pytest.mark.slow
def test_speed_of_an_architecture(tmp_path, cache, capsys):
    write_folder(tmp_path / "pets")
    options = ("--crop", "64", "--batch-size", "2", "--batches", "2", "--variant", "b0", "--cache", cache)
    assert data("speed", "folder", "--data", tmp_path / "pets", *options) == 0
    assert "training: " in capsys.readouterr().out
