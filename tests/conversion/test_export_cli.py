"""`keras-segformer export`."""

from __future__ import annotations

import pytest

from keras_segformer.cli import main
from tiny import save_light_preset


def test_onnx(preset, tmp_path, capsys):
    pytest.importorskip("onnx")
    assert main(["export", "--preset", preset, "--format", "onnx", "--output", str(tmp_path / "m.onnx")]) == 0
    assert "opset 17: runs on ONNX Runtime 1.12 and newer" in capsys.readouterr().out
    assert (tmp_path / "m.onnx").is_file()


@pytest.mark.slow
def test_savedmodel(tmp_path, capsys):
    save_light_preset(tmp_path / "preset")
    folder = tmp_path / "segformer/1"
    command = ["export", "--preset", str(tmp_path / "preset"), "--format", "savedmodel", "--output", str(folder)]
    assert main(command) == 0
    assert "serve_labels(image_bytes) → labels, sizes" in capsys.readouterr().out
    assert main(command) == 2
    assert "exists; add --overwrite" in capsys.readouterr().err
    assert main([*command, "--output-kind", "labels"]) == 2
    assert (folder / "saved_model.pb").is_file()


@pytest.mark.slow
def test_tflite(preset, tmp_path, capsys):
    command = ["export", "--preset", preset, "--format", "tflite", "--output", str(tmp_path / "m.tflite")]
    assert main(command) == 0
    assert "runs on TF Lite" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"m.tflite", "m.json"}


@pytest.mark.parametrize(
    ("format", "output", "more", "message"),
    [
        ("onnx", "m.tflite", [], "ends in .onnx"),
        ("savedmodel", "1", ["--output-kind", "labels"], "leave --output-kind out"),
    ],
)
def test_wrong_options(preset, tmp_path, capsys, format, output, more, message):
    place = tmp_path / output
    assert main(["export", "--preset", preset, "--format", format, "--output", str(place), *more]) == 2
    assert message in capsys.readouterr().err
    assert not place.exists()


def test_nothing_is_overwritten(preset, tmp_path, capsys):
    file = tmp_path / "m.onnx"
    file.write_text("mine")
    assert main(["export", "--preset", preset, "--format", "onnx", "--output", str(file)]) == 2
    assert "exists; add --overwrite" in capsys.readouterr().err
    assert file.read_text() == "mine"


def test_the_description_overwrites_nothing_either(preset, tmp_path, capsys):
    (tmp_path / "m.json").write_text("mine")
    command = ["export", "--preset", preset, "--format", "tflite", "--output", str(tmp_path / "m.tflite")]
    assert main(command) == 2
    assert "m.json' exists; add --overwrite" in capsys.readouterr().err
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("m.json", "mine")]
    assert main([*command, "--overwrite"]) == 0
