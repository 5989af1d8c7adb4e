"""`keras-segformer predict`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segformer.cli import main
from keras_segformer.label_sets import load_label_set
from keras_segformer.segformer import SegFormer
from keras_segformer.visualization import picture
from tiny import tiny_config


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    """A folder with a network of CamVid's classes and random weights."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    SegFormer(tiny_config(num_classes=11), label_set=load_label_set("camvid")).save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def model(preset: Path) -> SegFormer:
    return SegFormer.from_preset(preset)


@pytest.fixture(autouse=True)
def chosen_log_level(monkeypatch):
    """Keras is imported already; the program must not set the variable for the tests behind this one."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of different sizes, and a file that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, size in (("one", (40, 50)), ("two", (70, 33))):
        noise = np.random.default_rng(len(name)).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{name}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def predict(*arguments: object) -> int:
    return main(["predict", *map(str, arguments)])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_folder(folder, preset, model, tmp_path):
    output = tmp_path / "new" / "output"
    assert predict(folder, "--preset", preset, "--output", output) == 0
    assert names(output) == {"one_segmented.png", "two_segmented.png"}
    for name in ("one", "two"):
        source = folder / f"{name}.png"
        expected = picture(source, model.segment(source), model.label_set)
        np.testing.assert_array_equal(pixels(output / f"{name}_segmented.png"), expected)


def test_every_option(folder, preset, model, tmp_path):
    source, output = folder / "one.png", tmp_path / "output"
    options = ("--size", "64x96", "--opacity", "0.25", "--mask", "--json")
    assert predict(source, "--preset", preset, "--output", output, *options) == 0
    assert names(output) == {"one_segmented.png", "one_mask.png", "one.json"}
    labels = model.segment(source, size=(64, 96))
    expected = picture(source, labels, model.label_set, opacity=0.25)
    np.testing.assert_array_equal(pixels(output / "one_segmented.png"), expected)
    np.testing.assert_array_equal(pixels(output / "one_mask.png"), labels)
    areas = json.loads((output / "one.json").read_text())
    assert (areas["image"], areas["preset"]) == (str(source), str(preset))
    assert {each["index"]: each["pixels"] for each in areas["classes"]} == {
        index: np.count_nonzero(labels == index) for index in np.unique(labels)
    }


def test_one_file_for_all_pictures(folder, preset, model, tmp_path):
    coco = pytest.importorskip("pycocotools.coco", reason="the extra `data` is not installed")
    tables = ("--csv", tmp_path / "new/areas.csv", "--coco", tmp_path / "coco.json")
    assert predict(folder, "--preset", preset, "--output", tmp_path / "output", "--size", "64", *tables) == 0
    annotations = coco.COCO(str(tmp_path / "coco.json"))
    with (tmp_path / "new/areas.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for image in annotations.loadImgs(annotations.getImgIds()):
        labels = model.segment(image["file_name"], size=(64, 64))
        rebuilt = np.full(labels.shape, -1)
        for each in annotations.loadAnns(annotations.getAnnIds(image["id"])):
            mask = annotations.annToMask(each) == 1
            assert (each["area"], annotations.cats[each["category_id"]]["name"]) == (
                mask.sum(),
                model.label_set.names[each["category_id"] - 1],
            )
            rebuilt[mask] = each["category_id"] - 1
        np.testing.assert_array_equal(rebuilt, labels)
        found = {int(row["index"]): int(row["pixels"]) for row in rows if row["source"] == image["file_name"]}
        assert found == {index: np.count_nonzero(labels == index) for index in np.unique(labels)}


@pytest.mark.parametrize("size", ["aligned", "square", "native"])
def test_named_sizes(folder, preset, model, tmp_path, size):
    source, output = folder / "two.png", tmp_path / "output"
    assert predict(source, "--preset", preset, "--output", output, "--size", size, "--mask") == 0
    np.testing.assert_array_equal(pixels(output / "two_mask.png"), model.segment(source, size=size))


def test_patterns_and_repeated_images(folder, preset, tmp_path):
    output = tmp_path / "output"
    assert predict(f"{folder}/t*.png", folder, folder / "one.png", "--preset", preset, "--output", output) == 0
    assert names(output) == {"one_segmented.png", "two_segmented.png"}


def test_images_of_one_stem(folder, preset, tmp_path):
    with Image.open(folder / "one.png") as image:
        image.transpose(Image.Transpose.ROTATE_90).save(folder / "one.webp", lossless=True)
    output = tmp_path / "output"
    assert predict(folder, "--preset", preset, "--output", output, "--mask") == 0
    assert pixels(output / "one_mask.png").shape == (40, 50)
    assert pixels(output / "one_2_mask.png").shape == (50, 40)


def test_a_broken_image_is_named_and_the_others_go_on(folder, preset, tmp_path, capsys):
    output = tmp_path / "output"
    whole = (folder / "one.png").read_bytes()
    (folder / "one.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty [red].png").touch()
    assert predict(folder, "--preset", preset, "--output", output) == 1
    assert names(output) == {"two_segmented.png"}
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 2
    assert "empty [red].png" in errors[0]
    assert "one.png" in errors[1]
    assert any("2 of 3 images failed" in line for line in lines)


def test_a_result_that_cannot_be_written_is_named_and_the_others_go_on(folder, preset, tmp_path, capsys):
    output = tmp_path / "output"
    (output / "one_segmented.png").mkdir(parents=True)
    assert predict(folder, "--preset", preset, "--output", output) == 1
    assert names(output) == {"one_segmented.png", "two_segmented.png"}
    assert "one_segmented.png" in capsys.readouterr().err


def test_a_second_run_replaces_the_results_of_the_first(folder, preset, tmp_path):
    output = tmp_path / "output"
    for opacity in ("0.2", "0.8"):
        assert predict(folder / "one.png", "--preset", preset, "--output", output, "--opacity", opacity) == 0
    assert names(output) == {"one_segmented.png"}


def test_inputs_are_never_replaced(folder, preset, capsys):
    assert predict(folder, "--preset", preset, "--output", folder) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert predict(folder, "--preset", preset, "--output", folder) == 2
    assert "choose another --output folder" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_mistakes_are_told_before_the_model_is_loaded(folder, tmp_path, capsys):
    missing = tmp_path / "missing"
    assert predict(missing, "--preset", missing, "--output", tmp_path) == 2
    assert "no image found" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        predict(folder, "--preset", missing, "--output", folder / "one.png")
    assert "is a file; name a folder" in capsys.readouterr().err


def test_an_unknown_preset(folder, tmp_path, capsys):
    output = tmp_path / "output"
    assert predict(folder, "--preset", "b9_ade20k", "--output", output) == 2
    *left_aside, error = capsys.readouterr().err.splitlines()
    assert left_aside == [f"left aside: {folder / 'notes.txt'}"]
    assert error.startswith("error: ")
    assert "b9_ade20k" in error
    assert not output.exists()


@pytest.mark.parametrize("option", [("--size", "big"), ("--opacity", "2")])
def test_wrong_options(folder, tmp_path, option):
    with pytest.raises(SystemExit) as error:
        predict(folder, "--preset", "b0_ade20k", "--output", tmp_path, *option)
    assert error.value.code == 2


def test_a_size_too_small_for_the_network(folder, preset, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        predict(folder, "--preset", preset, "--output", tmp_path / "output", "--size", "16x16")
    assert stopped.value.code == 2
    assert "not a size from 32" in capsys.readouterr().err
