"""`keras-segformer convert`."""

from __future__ import annotations

import json

import pytest

from keras_segformer.cli import main, make_parser
from keras_segformer.cli.convert import chosen_settings


def test_convert(preset, tmp_path, capsys):
    assert main(["convert", "--preset", preset, "--output", str(tmp_path / "m.tflite")]) == 0
    printed = capsys.readouterr().out
    assert "input: 1x64x64x3 uint8, RGB" in printed
    assert "output: labels, 1x16x16 int32" in printed
    facts = json.loads((tmp_path / "m.json").read_text())
    assert f"TF Lite {facts['minimum_runtime']} and newer" in printed
    assert (facts["tiles"], facts["save_memory"]) == (True, False)


def test_options(preset, tmp_path):
    sizes_and_kinds = ["--input-size", "32x64", "--input", "float32", "--output-kind", "logits"]
    options = ["--precision", "float16", *sizes_and_kinds, "--no-tiles", "--batch", "2"]
    assert main(["convert", "--preset", preset, "--output", str(tmp_path / "m.tflite"), *options]) == 0
    facts = json.loads((tmp_path / "m.json").read_text())
    assert (facts["precision"], facts["tiles"]) == ("float16", False)
    assert (facts["input"]["shape"], facts["input"]["dtype"]) == ([2, 32, 64, 3], "float32")
    assert (facts["output"]["kind"], facts["output"]["shape"]) == ("logits", [2, 8, 16, 5])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {}),
        (["--for", "mediapipe"], {"client": "mediapipe", "output": "probabilities"}),
        (
            ["--for", "gpu", "--precision", "float32"],
            {"client": "gpu", "precision": "float32", "input": "float32", "tiles": False},
        ),
        (["--no-tiles", "--output-kind", "logits"], {"tiles": False, "output": "logits"}),
    ],
)
def test_settings_for_a_client(given, expected):
    args = make_parser(["convert"]).parse_args(["convert", "--preset", "b0", "--output", "m.tflite", *given])
    assert chosen_settings(args) == expected


def test_client_that_no_file_suits(preset, tmp_path, capsys):
    assert main(["convert", "--preset", preset, "--output", str(tmp_path / "m.tflite"), "--for", "coral"]) == 2
    assert "No file suits the Edge TPU of Coral" in capsys.readouterr().err


def test_errors_are_one_line(preset, tmp_path, capsys):
    assert main(["convert", "--preset", preset, "--output", str(tmp_path / "m.bin")]) == 2
    assert main(["convert", "--preset", "b9_nothing", "--output", str(tmp_path / "m.tflite")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert ".tflite" in first
    assert "b9_nothing" in second
    assert not list(tmp_path.iterdir())
