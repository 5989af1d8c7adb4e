"""`keras-segformer train`: what it refuses, and that its arguments arrive."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.cli import main, make_parser
from keras_segformer.cli.parsers import train
from tiny import light_segmenter


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("steps=2000", ("steps", 2000)),
        ("optimizer.use_ema=true", ("optimizer.use_ema", True)),
        ("augmentation.crop_size=[64, 96]", ("augmentation.crop_size", [64, 96])),
        ("dtype=mixed_float16", ("dtype", "mixed_float16")),
        ("title=a=b", ("title", "a=b")),
    ],
)
def test_changes_are_read(text, change):
    assert train.change(text) == change


@pytest.mark.parametrize("text", ["steps", "=3", ""])
def test_changes_without_key_or_value_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="KEY=VALUE"):
        train.change(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe", "b9_moon"], "There is no recipe 'b9_moon'"),
        (["--recipe", "b0_camvid", "--set", "stepz=1"], "did you mean `steps`?"),
        (["--set", "evaluation.size=huge"], "`evaluation.size` must be aligned"),
        (["--set", "early_stopping.patience=soon"], "`early_stopping.patience` must be a whole number"),
        (["--epochs", "3", "--set", "steps=12"], "either `epochs` or `steps`"),
        (["--set", "model.input_size=[16, 16]"], "`input_size` is"),
        ([], "--data"),
        (["--recipe", "b0_camvid"], "--data"),
        (["--recipe", "b0_camvid", "--data", "nowhere"], "nowhere"),
        (["--recipe", "b0_camvid", "--data", "nowhere", "--strategy", "data-parallel"], "KERAS_BACKEND=jax"),
    ],
)
def test_errors_are_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments, "--output", "run"]) == 2
    *_, last = capsys.readouterr().err.strip().splitlines()
    assert last.startswith("error: ")
    assert message in last
    assert not (tmp_path / "run").exists()


@pytest.fixture
def data(tmp_path) -> Path:
    """Five pictures of an odd size with masks of two classes, without a validation split."""
    rng = np.random.default_rng(0)
    for index in range(5):
        mask = rng.integers(0, 2, (3, 5)).repeat(13, axis=0).repeat(11, axis=1)
        image = 200 * mask[..., None] + rng.integers(0, 50, (*mask.shape, 3))
        for kind, array in (("images", image), ("masks", mask)):
            folder = tmp_path / "my data" / kind
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array.astype(np.uint8)).save(folder / f"{index}.png")
    return tmp_path / "my data"


@pytest.fixture
def tiny(tmp_path) -> Path:
    light_segmenter().save_to_preset(tmp_path / "tiny")
    return tmp_path / "tiny"


def test_unknown_presets_are_refused_before_the_data_are_prepared(data, tmp_path, capsys):
    places = ["--data", data, "--cache", tmp_path / "cache", "--output", tmp_path / "run"]
    assert main(["train", "--preset", "b0_ade20", *map(str, places)]) == 2
    assert "Did you mean 'b0_ade20k'?" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("without_xla")
def test_one_line(data, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    run = tmp_path / "run"
    options = ["--epochs", "1", "--size", "32", "--classes", "1", "--class-weights", "auto", "--set", "batch_size=2"]
    places = ["--data", data, "--cache", tmp_path / "cache", "--output", run]
    assert main(["train", "--preset", str(tiny), *options, *map(str, places)]) == 0

    captured = capsys.readouterr()
    assert f"Starts from {tiny}" in captured.err
    assert "Pictures to train on: 4 (train[" in captured.err
    assert "Epochs: 1; steps in each: 2; crops in a step: 2 of 32x32 pixels" in captured.err
    for file in ("curve.png", "scores.png", "scores.json", "history.csv", "preset/README.md"):
        assert (run / file).is_file()
    assert len(list((run / "examples").iterdir())) == 1

    split = json.loads((run / "split.json").read_text())
    assert sorted(split["train"]["pictures"] + split["val"]["pictures"]) == ["0", "1", "2", "3", "4"]
    recipe = json.loads((run / "config.json").read_text())["recipe"]
    assert len(recipe["loss"]["class_weights"]) == 2
    assert recipe["title"] == "SegFormer from tiny on my data"
    assert recipe["expected"] is None
    assert SegFormer.from_preset(run / "preset").config.num_classes == 1

    # The suggested commands run, and give the scores that were printed.
    _, _, suggested = captured.out.partition("next:\n")
    predict, evaluate, convert = map(shlex.split, suggested.strip().splitlines())
    assert convert[1] == "convert"
    assert main(evaluate[1:]) == 0
    scores = [line for line in captured.out.splitlines() if "IoU  " in line or "accuracy  " in line or "class" in line]
    again = capsys.readouterr().out.splitlines()
    assert len(scores) > 3
    assert set(scores) <= set(again)
    assert main(predict[1:]) == 0
    assert len(list((run / "predictions").iterdir())) == 5


def test_resuming_follows_the_values_that_followed_the_data(data, tiny, tmp_path, monkeypatch, capsys):
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    run = tmp_path / "run"
    places = ["--data", data, "--cache", tmp_path / "cache", "--output", run, "--preset", tiny, "--size", "32"]
    with monkeypatch.context() as patch:
        patch.setattr("keras_segformer.training.run._fit", interrupt)
        assert main(["train", *map(str, places)]) == 130
    config = (run / "config.json").read_text()
    with monkeypatch.context() as patch:
        patch.setattr("keras_segformer.training.run._fit", interrupt)
        patch.setattr("keras_segformer.training.run_data.complete", lambda recipe, *args: recipe)
        assert main(["train", *map(str, places), "--resume"]) == 130
    assert (run / "config.json").read_text() == config
    assert main(["train", *map(str, places), "--resume", "--set", "seed=1"]) == 2
    assert "followed another recipe" in capsys.readouterr().err

    split = (run / "split.json").read_text()
    for kind in ("images", "masks"):
        for index in range(5, 12):
            shutil.copy(data / kind / "0.png", data / kind / f"{index}.png")
    assert main(["train", *map(str, places), "--resume"]) == 2
    assert "error: The data have changed since the run in" in capsys.readouterr().err
    assert (run / "config.json").read_text() == config
    assert (run / "split.json").read_text() == split


def test_what_is_refused_leaves_nothing_behind(data, tiny, tmp_path, capsys):
    """The data decide about the length of the run, so that they are prepared before this is refused."""
    run = tmp_path / "run"
    places = ["--data", data, "--cache", tmp_path / "cache", "--output", run, "--size", "32"]
    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    (broken / "model.weights.h5").write_bytes(b"no weights")
    for options in (["--preset", tiny, "--set", "schedule.warmup_steps=10000"], ["--preset", broken]):
        assert main(["train", *map(str, places + options)]) == 2
        assert "not empty" not in capsys.readouterr().err
        assert not run.exists()


@pytest.mark.parametrize(("text", "weights"), [("auto", "auto"), ("1,2.5", [1.0, 2.5])])
def test_class_weights_are_read(text, weights):
    arguments = ["train", "--output", "run", "--class-weights", text]
    assert make_parser().parse_args(arguments).class_weights == weights


def test_wrong_class_weights(capsys):
    with pytest.raises(SystemExit):
        make_parser().parse_args(["train", "--output", "run", "--class-weights", "atuo"])
    assert "neither auto nor a number for each class" in capsys.readouterr().err
