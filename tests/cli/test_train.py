"""`keras-segformer train`: what it refuses, and that its arguments arrive."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.cli import main
from keras_segformer.cli.parsers import train
from tiny import tiny_config


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
        (["--recipe", "b0_camvid", "--set", "stepz=1"], "unknown keys ['stepz']"),
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


def test_a_run_of_one_step(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for kind, array in (
            ("images", rng.integers(0, 256, (40, 48, 3))),
            ("masks", rng.integers(0, 3, (40, 48))),
        ):
            folder = tmp_path / "data" / split / kind
            folder.mkdir(parents=True)
            Image.fromarray(array.astype(np.uint8)).save(folder / "0.png")
    SegFormer(tiny_config()).save_to_preset(tmp_path / "tiny")
    changes = {
        "dataset": "folder",
        "initial": str(tmp_path / "tiny"),
        "random_weights": False,
        "model": {},
        "augmentation.crop_size": [32, 32],
        "batch_size": 1,
        "steps": 1,
        "steps_per_epoch": 1,
        "schedule.warmup_steps": 0,
        "loss": {},
        "validation_size": [40, 48],
    }
    sets = [part for key, value in changes.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    places = ["--data", tmp_path / "data", "--cache", tmp_path / "cache", "--output", tmp_path / "run"]
    assert main(["train", "--recipe", "b0_camvid", *sets, *map(str, places)]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(tmp_path / "run" / "preset")
    assert "SegFormer-B0 on CamVid" in captured.err
    assert SegFormer.from_preset(tmp_path / "run" / "preset").config.num_classes == 3
