"""Every argument of every command with wrong values: one message that is no traceback, and not a file more or less."""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import shtab

from fake_datasets import write_folder, write_image
from keras_segformer import cli
from keras_segformer.cli import main, make_parser
from keras_segformer.cli.stems import stem
from keras_segformer.cli.values import output_file, output_folder, path, prepared_folder, text
from keras_segformer.conversion import convert
from keras_segformer.segformer import SegFormer
from tiny import tiny_config

USUAL = {
    "predict": {"images": "picture.png", "preset": "preset", "output": "new", "steady": "0.5"},
    "label": {"input": "picture.png", "preset": "preset", "output": "new", "runner": "DirectRunner"},
    "serve": {"preset": "preset", "port": "0"},
    "train": {"recipe": "b0_camvid", "data": "data", "output": "new", "cache": "cache"},
    "evaluate": {"preset": "preset", "data": "data", "cache": "cache", "split": "train"},
    "convert": {"preset": "preset", "output": "new.tflite"},
    "audit": {"file": "model.tflite"},
    "verify": {"file": "model.tflite", "against": "preset", "images": "data/images"},
    "benchmark": {"files": "model.tflite", "rounds": "1", "threads": "1"},
    "android": {"preset": "preset", "processors": "gpu", "output": "new", "size": "64"},
    "web": {"preset": "preset", "page": "page", "output": "new", "size": "64"},
    "data import": {"source": "data", "output": "new"},
    "data classes": {"folder": "data"},
    "data check": {"name": "folder", "data": "data"},
    "data show": {"name": "folder", "data": "data", "cache": "cache", "output": "new.png", "crop": "32"},
    "data speed": {"name": "folder", "data": "data", "cache": "cache", "crop": "32"},
    "presets": {},
    "info": {"subject": "b0"},
    "analyze erf": {"preset": "preset", "images": "data/images", "size": "32", "count": "1"},
    "analyze robustness": {
        "preset": "preset",
        "data": "data",
        "cache": "cache",
        "split": "train",
        "corruptions": "fog",
    },
    "analyze scaling": {"architectures": "b0", "sides": "32", "runtimes": "tflite", "runs": "1"},
}
"""For every command values that it accepts, by argument; paths are below the working folder."""

ALTERNATIVES = {
    ("evaluate", "model"): "preset",
    ("analyze robustness", "model"): "preset",
    ("predict", "model"): "preset",
    ("label", "model"): "preset",
    ("serve", "model"): "preset",
    ("data show", "recipe"): "crop",
    ("data speed", "recipe"): "crop",
}
"""Arguments that another one excludes."""

ANY_TEXT = ("background", "void", "mask_suffix", "image_suffix")
"""Arguments that take every text but the empty one."""

ANY_FILE = ("digests",)
"""Arguments that take every file, whatever is in it."""

NUMBERS = ["", "many", "nan", "inf", "-1", "0x10", "²", "9" * 20, "9" * 5000]
INPUTS = ["missing", "empty.bin", "rubbish.bin", "nowhere"]


@functools.cache
def arguments(command: str) -> dict[str, argparse.Action]:
    """The arguments of a command, but for switches."""
    parser = make_parser()
    for name in command.split():
        [subparsers] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        parser = subparsers.choices[name]
    return {action.dest: action for action in parser._actions if action.nargs != 0}


CASES = [(command, name) for command in USUAL for name in arguments(command)]


def values_for_the_parser(action: argparse.Action) -> list[str]:
    """Wrong values that need no look at models or data."""
    if action.choices:
        return ["", "nonsense"]
    if action.type is output_file:
        return ["", "data", "rubbish.bin/below"]
    if action.type in (output_folder, prepared_folder):
        return ["", "rubbish.bin", "rubbish.bin/below"]
    return [""] if action.type in (text, path, stem) else NUMBERS


def values_for_the_command(action: argparse.Action) -> list[str]:
    """Wrong values that the parser takes."""
    if action.choices or action.type in (output_file, output_folder, prepared_folder):
        return []
    if getattr(action, "complete", None) in (shtab.FILE, shtab.DIRECTORY):
        return INPUTS
    if action.type is text and action.dest not in ANY_TEXT:
        files = [] if action.dest in ANY_FILE else ["picture.png"]
        return ["nonsense", *files, "preset/config.json/below"]
    return []


def command_line(command: str, values: dict[str, str]) -> list[str]:
    line = command.split()
    for name, action in arguments(command).items():
        if name in values:
            line.append(f"{action.option_strings[-1]}={values[name]}" if action.option_strings else values[name])
    return line


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model, a data set and files that are nothing; the data set is prepared in the cache."""
    pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("wrong")
    keras.utils.set_random_seed(0)
    model = SegFormer(tiny_config(num_classes=3))
    model.save_to_preset(folder / "preset")
    convert(model, folder / "model.tflite", input_size=(64, 64), report=False)
    write_folder(folder / "data")
    write_image(folder / "picture.png")
    (folder / "page/litert").mkdir(parents=True)
    for name in ("index.html", "sw.js"):
        (folder / "page" / name).touch()
    (folder / "empty.bin").touch()
    (folder / "rubbish.bin").write_bytes(np.random.default_rng(0).bytes(1000))
    (folder / "nowhere").symlink_to("gone")
    show = ["data", "show", "folder", "--crop", "32", "--count", "1"]
    paths = ["--data", folder / "data", "--cache", folder / "cache", "--output", folder / "grid.png"]
    assert main([*show, *map(str, paths)]) == 0
    return folder


@pytest.fixture(scope="module")
def loaded(folder) -> Iterator[None]:
    """Loads the preset only once."""
    load, model = SegFormer.from_preset, SegFormer.from_preset(folder / "preset")

    def from_preset(name, **options):
        return model if name == "preset" and not options else load(name, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SegFormer, "from_preset", from_preset)
        yield


def content(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file, but for locks."""
    files = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names if name != ".lock"]
    return {str(file): (file.lstat().st_size, file.lstat().st_mtime_ns) for file in files}


def run(line: list[str]) -> int:
    try:
        return main(line)
    except SystemExit as error:
        return error.code


def faults(command: str, name: str, values: list[str], folder: Path, capsys) -> list[object]:
    """The command lines that are not refused as they should be, and what they did."""
    before = content(folder)
    usual = {key: value for key, value in USUAL[command].items() if key != ALTERNATIVES.get((command, name))}
    found = []
    for value in values:
        line = command_line(command, {**usual, name: value})
        status = run(line)
        printed = capsys.readouterr().err
        errors = [each for each in printed.splitlines() if "error: " in each]
        if status not in (1, 2) or len(errors) != 1 or "Traceback" in printed or content(folder) != before:
            found.append((line, status, errors, sorted(content(folder).items() ^ before.items())))
    return found


@pytest.mark.parametrize("command", [command for command in USUAL if command != "train"])
def test_the_parser_refuses_values_before_any_work(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_load_command", lambda args: pytest.fail(f"not refused: {args}"))
    (tmp_path / "data").mkdir()
    (tmp_path / "rubbish.bin").touch()
    for name, action in arguments(command).items():
        assert faults(command, name, values_for_the_parser(action), tmp_path, capsys) == []


@pytest.mark.slow
@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(("command", "name"), CASES)
def test_commands_refuse_values_without_a_traceback(command, name, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    # Keras is imported already; the program must not set the variable for the tests behind this one.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    assert faults(command, name, values_for_the_command(arguments(command)[name]), folder, capsys) == []
