"""The commands that a run suggests are commands, and name what is there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from keras_segformer.cli import make_parser
from keras_segformer.training.next_commands import next_commands
from keras_segformer.training.recipe import load_recipe
from keras_segformer.training.run_settings import RunSettings


@pytest.fixture
def data(tmp_path) -> Path:
    for kind in ("images", "masks"):
        (tmp_path / "my data" / "test" / kind).mkdir(parents=True)
        (tmp_path / "my data" / "test" / kind / "a.png").touch()
    return tmp_path / "my data"


def test_they_are_accepted_with_real_paths(data):
    recipe = load_recipe("folder").replace({"validation_split": "train[2:4]", "evaluation.size": [64, 96]})
    settings = RunSettings(Path("run 1"), data=data, cache=Path("cache"), skip_bad=True, bit_depth=12)
    commands = next_commands(recipe, settings, Path("run 1/preset"))
    predict, evaluate, convert = (make_parser().parse_args(shlex.split(command)[1:]) for command in commands)
    assert predict.images == [str(data / "test" / "images")]
    assert (predict.preset, predict.output) == ("run 1/preset", Path("run 1/predictions"))
    assert (evaluate.split, evaluate.size, evaluate.mode) == ("train[2:4]", (64, 96), "whole")
    assert (evaluate.data, evaluate.cache, evaluate.skip_bad, evaluate.bit_depth) == (data, Path("cache"), True, 12)
    assert (convert.preset, Path(convert.output)) == ("run 1/preset", Path("run 1/model.tflite"))


def test_data_without_a_folder():
    commands = next_commands(load_recipe("b0_oxford_iiit_pet"), RunSettings(Path("run")), Path("run/preset"))
    assert "--data" not in shlex.split(commands[1])
    assert all(make_parser().parse_args(shlex.split(command)[1:]) for command in commands)
