"""Data sets as people have them: read rightly, or refused in a sentence that names the remedy."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake_datasets import random_mask, write_classes, write_folder, write_mask
from keras_segformer.data.check import check_source
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidDatasetError

REFUSED = {
    "a_value_that_raw_to_train_forgot": r"a\.png has the value 2, which no class has; name .* in raw_to_train",
    "binary_0_255_without_classes": r"write a classes\.json .* for masks of 0 and 255",
}


@pytest.fixture
def cases(shared: Path) -> Path:
    return shared / "field_cases"


def pixels_by_class(folder: Path) -> dict[str, int]:
    """Pixels of every class that occurs, and of those ignored."""
    report = check_source(SOURCES["folder"], folder)["train"]
    assert report.problems == ()
    counts = {name: int(report.pixels[index]) for index, name in enumerate(report.label_set.names)}
    return {name: count for name, count in {**counts, "ignored": int(report.pixels[255])}.items() if count}


def test_folders(cases):
    expected = json.loads((cases / "expected.json").read_text())
    seen = 0
    for name, case in expected.items():
        if isinstance(case["expected"], dict):
            assert pixels_by_class(cases / name) == case["expected"], name
            seen += 1
    assert seen == 6


@pytest.mark.parametrize("name", REFUSED)
def test_refused_folders(cases, name):
    try:
        [problem] = check_source(SOURCES["folder"], cases / name)["train"].problems
    except InvalidDatasetError as error:
        problem = error
    assert re.search(REFUSED[name], str(problem))


def test_a_photograph_that_is_stored_turned(cases, tmp_path):
    (tmp_path / "images").mkdir()
    shutil.copy(cases / "pictures/turned_by_exif.jpg", tmp_path / "images/a.jpg")
    write_mask(tmp_path / "masks/a.png", np.resize([0, 1], (48, 64)).astype(np.uint8))
    report = check_source(SOURCES["folder"], tmp_path)["train"]
    assert len(report.good) == 1
    assert "left so, as the size of its mask asks" in report.assumptions[0]


def test_transparent_pixels_of_a_photograph_have_no_class(cases, tmp_path):
    (tmp_path / "images").mkdir()
    shutil.copy(cases / "pictures/half_transparent.png", tmp_path / "images/a.png")
    with Image.open(tmp_path / "images/a.png") as image:
        width, height = image.size
    write_mask(tmp_path / "masks/a.png", np.resize([0, 1], (height, width)).astype(np.uint8))
    report = check_source(SOURCES["folder"], tmp_path)["train"]
    assert report.pixels[255] == width * height // 2


def test_255_as_the_only_foreground(tmp_path):
    """Two classes, values 0 and 255, and nothing that says what 255 is."""
    write_folder(tmp_path)
    for index in range(3):
        write_mask(tmp_path / f"masks/pet_{index}.png", random_mask([0, 255], seed=index))
    write_classes(tmp_path, names=["background", "pet"], palette=[[0, 0, 0], [255, 0, 0]])
    with pytest.raises(InvalidDatasetError, match=r"'pet' never occurs .* \"raw_to_train\": {\"0\": 0, \"255\": 1}"):
        check_source(SOURCES["folder"], tmp_path)
    # Where the classes are black and white, their colours say it.
    write_classes(tmp_path, names=["background", "pet"], palette=[[0, 0, 0], [255, 255, 255]])
    report = check_source(SOURCES["folder"], tmp_path)["train"]
    assert report.pixels[1] > 0
    assert report.pixels[255] == 0
    assert "grey masks (3) are read by their colours" in report.assumptions[0]
