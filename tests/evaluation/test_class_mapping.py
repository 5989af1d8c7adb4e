"""From the classes of a model to those of a data set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from keras_segformer.evaluation import ClassMapping


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_load_and_apply(tmp_path: Path):
    mapping = ClassMapping.load(write(tmp_path / "map.json", {"about": "a test", "map": [2, 0, 11, -1]}))
    assert mapping == ClassMapping((2, 0, 11, -1))
    labels = np.array([[0, 1], [2, 3]], np.int32)
    np.testing.assert_array_equal(mapping.apply(labels), [[2, 0], [11, -1]])


def test_the_shared_map(shared: Path):
    mapping = ClassMapping.load(shared / "data/ade20k_to_camvid.json")
    mapping.check(model_classes=150, data_classes=11)
    assert mapping.targets[:4] == (1, 1, 0, 11)


def test_no_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="no label map"):
        ClassMapping.load(tmp_path / "map.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
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
