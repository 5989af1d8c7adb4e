"""From the classes of a model to those of a data set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from keras_segformer.evaluation import ClassMapping
from keras_segformer.evaluation.class_mapping import class_mapping_names
from keras_segformer.label_sets import load_label_set


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_load_and_apply(tmp_path: Path):
    mapping = ClassMapping.load(write(tmp_path / "map.json", {"about": "a test", "map": [2, 0, 11, -1]}))
    assert mapping == ClassMapping((2, 0, 11, -1))
    labels = np.array([[0, 1], [2, 3]], np.int32)
    np.testing.assert_array_equal(mapping.apply(labels), [[2, 0], [11, -1]])


@pytest.mark.parametrize("name", class_mapping_names())
def test_bundled_maps_are_between_bundled_label_sets(name):
    model, data = map(load_label_set, name.split("_to_"))
    mapping = ClassMapping.load(name)
    mapping.check(model.num_classes, data.num_classes)
    assert set(range(data.num_classes)) <= set(mapping.targets) <= set(range(data.num_classes + 1))
    assert ClassMapping.load(f"{name}.json") == mapping


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        (
            "ade20k_to_camvid",
            {"sky": "Sky", "road": "Road", "sidewalk": "Pavement", "car": "Car", "bicycle": "Bicyclist"},
        ),
        ("cityscapes_to_camvid", {"sky": "Sky", "road": "Road", "rider": "Bicyclist", "pole": "Pole", "bus": "Car"}),
    ],
)
def test_bundled_maps_name_what_they_mean(name, pairs):
    model, data = map(load_label_set, name.split("_to_"))
    targets = ClassMapping.load(name).targets
    assert {source: data.names[targets[model.names.index(source)]] for source in pairs} == pairs


def test_the_zero_shot_check_has_the_bundled_map(shared: Path):
    assert ClassMapping.load(shared / "data/ade20k_to_camvid.json") == ClassMapping.load("ade20k_to_camvid")


def test_a_file_comes_before_a_bundled_map(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "ade20k_to_camvid.json", {"map": [0]})
    assert ClassMapping.load("ade20k_to_camvid.json") == ClassMapping((0,))


def test_no_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no class mapping .* or take one of ade20k_to_camvid, cityscapes"):
        ClassMapping.load(tmp_path / "ade20k_to_camvid.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ([1, 2], "no list `map`"),
        ({"mapping": [1]}, "no list `map`"),
        ({"map": {"0": 1}}, "no list `map`"),
        ({"map": []}, "an integer, for every class"),
        ({"map": [1, "road"]}, "an integer, for every class"),
        ({"map": [1, 1.0]}, "an integer, for every class"),
        ({"map": [1, True]}, "an integer, for every class"),
    ],
)
def test_broken_files(tmp_path: Path, content, message):
    with pytest.raises(ValueError, match=message):
        ClassMapping.load(write(tmp_path / "map.json", content))


def test_other_classes_are_refused():
    mapping = ClassMapping((0, 1, 9))
    mapping.check(model_classes=3, data_classes=2)
    mapping.check(model_classes=None, data_classes=2)
    with pytest.raises(ValueError, match="3 entries, but the model has 4"):
        mapping.check(model_classes=4, data_classes=2)
    with pytest.raises(ValueError, match="No entry"):
        ClassMapping((11, 11)).check(model_classes=2, data_classes=11)
