"""`keras-segformer evaluate`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segformer.cli import main
from keras_segformer.evaluation import ConfusionMatrix
from keras_segformer.segformer import SegFormer
from tflite_files import convert
from tiny import light_segmenter

NUM_CLASSES = 5


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    """A folder with a network of five classes and random weights."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    light_segmenter(num_classes=NUM_CLASSES).save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder with three pictures to validate on."""
    pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / "val" / name).mkdir(parents=True)
    for number in range(3):
        image = generator.integers(0, 256, (6, 7, 3), dtype=np.uint8).repeat(10, axis=0).repeat(10, axis=1)
        mask = (np.arange(60 * 70, dtype=np.uint16) // 100 % NUM_CLASSES).astype(np.uint8).reshape(60, 70)
        mask[:5] = 255
        Image.fromarray(image).save(folder / f"val/images/{number}.png")
        Image.fromarray(mask).save(folder / f"val/masks/{number}.png")
    return folder


@pytest.fixture
def evaluate(data, tmp_path_factory, monkeypatch):
    """Runs the command on the data set."""
    # Keras is imported already; the program must not set the variable for the tests behind this one.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    cache = tmp_path_factory.getbasetemp() / "cache"
    return lambda *arguments: main(["evaluate", "--data", str(data), "--cache", str(cache), *map(str, arguments)])


def expected(preset: Path, data: Path, **arguments) -> ConfusionMatrix:
    model = SegFormer.from_preset(preset)
    matrix = ConfusionMatrix(NUM_CLASSES)
    for path in (data / "val/images").iterdir():
        matrix.update(np.asarray(Image.open(data / "val/masks" / path.name)), model.segment(path, **arguments))
    return matrix


def rows(text: str) -> dict[str, list[str]]:
    """The cells of every line by the first of them."""
    cells = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return {first: others for first, *others in cells}


def test_scores_are_printed_and_written(evaluate, preset, data, tmp_path, capsys):
    path = tmp_path / "folder" / "r.json"
    assert evaluate("--preset", preset, "--size", "64x96", "--json", path) == 0
    matrix = expected(preset, data, size=(64, 96))
    scores = matrix.scores()
    captured = capsys.readouterr()
    table = rows(captured.out)
    assert table["mean IoU"] == [f"{scores.mean_iou:.2%}"]
    assert table["pixel accuracy"] == [f"{scores.pixel_accuracy:.2%}"]
    assert table["class 1"][:2] == [f"{scores.iou[1]:.2%}", f"{scores.accuracy[1]:.2%}"]
    assert "3 pictures in" in captured.out
    assert "Evaluating" in captured.err
    content = json.loads(path.read_text())
    assert content["confusion"]["counts"] == matrix.counts.tolist()
    assert content["scores"]["mean_iou"] == scores.mean_iou
    assert content["settings"]["size"] == [64, 96]
    assert (content["model"], content["dataset"], content["split"]) == (str(preset), "folder", "val")


@pytest.mark.parametrize(
    ("option", "mode"), [(["--antialias"], "whole"), (["--mode", "slide"], "slide"), (["--flip"], "whole")]
)
def test_modes(evaluate, preset, tmp_path, option, mode):
    path = tmp_path / "r.json"
    assert evaluate("--preset", preset, *option, "--limit", 2, "--json", path) == 0
    content = json.loads(path.read_text())
    assert len(content["images"]) == 2
    assert content["settings"] == {
        "mode": mode,
        "size": "aligned",
        "input_size": [64, 64],
        "flip": "--flip" in option,
        "antialias": "--antialias" in option,
    }


def test_figure_boundary_and_class_mapping(evaluate, preset, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    label_map, path, figure = tmp_path / "map.json", tmp_path / "r.json", tmp_path / "r.png"
    label_map.write_text(json.dumps({"map": [0, 0, 0, 0, 5]}))
    options = ("--boundary", "--class-mapping", label_map, "--json", path, "--figure", figure)
    assert evaluate("--preset", preset, *options) == 0
    assert "mean boundary IoU" in capsys.readouterr().out
    counts = np.array(json.loads(path.read_text())["confusion"]["counts"])
    assert counts[:, [0, -1]].sum() == counts.sum()
    with Image.open(figure) as picture:
        assert picture.format == "PNG"


def test_tflite_file(evaluate, tmp_path, capsys):
    images = keras.Input((64, 64, 3), batch_size=1)
    logits = keras.layers.Conv2D(NUM_CLASSES, 4, 4, data_format="channels_last")(images)
    file = convert(keras.Model(images, logits), tmp_path / "tiny.tflite")
    assert evaluate("--model", file) == 0
    assert "mean IoU" in capsys.readouterr().out
    assert evaluate("--model", file, "--mode", "slide") == 2
    assert "leave size and mode out" in capsys.readouterr().err


def test_mistakes_take_one_line(evaluate, preset, tmp_path, capsys):
    other = tmp_path / "other"
    light_segmenter(num_classes=3).save_to_preset(other)
    for arguments, message in [
        (["--preset", other], "3 classes and the data set 5; give a class mapping"),
        (["--preset", preset, "--split", "test"], "no split 'test'"),
        (["--preset", preset, "--class-mapping", tmp_path / "x.json"], "no class mapping"),
        (["--model", tmp_path / "x.tflite"], "no file"),
    ]:
        assert evaluate(*arguments) == 2
        error = capsys.readouterr().err
        assert re.search(f"error: .*{message}", error)
    with pytest.raises(SystemExit, match="2"):
        evaluate("--preset", preset, "--json", tmp_path)
    assert "is a folder; name a file" in capsys.readouterr().err


@pytest.mark.slow
def test_recovered_b0_ade20k_on_camvid(shared, tmp_path, monkeypatch):
    """The zero-shot check: whole pictures squeezed to 512x512, ADE20K's classes mapped to CamVid's."""
    pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    monkeypatch.setenv("KERAS_SEGFORMER_PRESETS", str(shared / "weights"))
    path = tmp_path / "r.json"
    arguments = ["evaluate", "--preset", "b0_ade20k", "--dataset", "camvid", "--data", shared / "data/camvid"]
    arguments += ["--size", "512", "--class-mapping", "ade20k_to_camvid", "--json", path]
    assert main([*map(str, arguments), "--cache", str(tmp_path / "cache")]) == 0
    content = json.loads(path.read_text())
    assert len(content["images"]) == 101
    assert content["scores"]["pixel_accuracy"] == pytest.approx(0.842, abs=0.003)
    assert content["scores"]["mean_iou"] == pytest.approx(0.4605, abs=0.003)
