"""Label sets: the files that come with the package, reading and writing, and generated ones."""

from __future__ import annotations

import copy
import csv
import dataclasses
import json
import pickle
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_segformer.errors import InvalidPresetError
from keras_segformer.label_sets import LabelSet, label_set_names, load_label_set
from keras_segformer.label_sets.colors import MAX_DISTINCT_COLORS, _oklab, distinct_colors

NUM_CLASSES = {"ade20k": 150, "camvid": 11, "cityscapes": 19, "oxford_iiit_pet": 3, "voc": 21}


def valid_data() -> dict:
    return {
        "name": "pets",
        "title": "Cats and dogs",
        "names": ["cat", "dog"],
        "palette": [[10, 20, 30], [255, 0, 0]],
        "ignore_index": 255,
        "raw_to_train": {"1": 0, "2": 1, "7": 1},
        "source": "a photograph album",
        "licence": "CC0-1.0",
    }


def test_names_of_all_label_sets():
    assert label_set_names() == tuple(sorted(NUM_CLASSES))


@pytest.mark.parametrize("name", sorted(NUM_CLASSES))
def test_every_label_set_is_complete(name):
    label_set = load_label_set(name)
    assert label_set.name == name
    assert label_set.num_classes == len(label_set.names) == len(label_set.palette) == NUM_CLASSES[name]
    assert label_set.ignore_index == 255
    assert set(label_set.raw_to_train.values()) == set(range(label_set.num_classes))
    assert label_set.title
    assert label_set.source
    assert label_set.licence


@pytest.mark.parametrize("name", sorted(NUM_CLASSES))
def test_every_label_set_survives_json(name):
    label_set = load_label_set(name)
    assert LabelSet.from_dict(json.loads(json.dumps(label_set.to_dict()))) == label_set


def test_unknown_label_set():
    with pytest.raises(
        ValueError, match="no label set 'kitti'; choose one of ade20k, camvid, cityscapes, oxford_iiit_pet, voc"
    ):
        load_label_set("kitti")


def test_ade20k_agrees_with_the_list_of_the_data_set(shared: Path):
    label_set = load_label_set("ade20k")
    assert list(label_set.names) == json.loads((shared / "data/ade20k_to_camvid.json").read_text())["ade20k_names"]
    with (shared / "data/ade20k_samples/objectInfo150.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Name"].split(";")[0] for row in rows] == list(label_set.names)
    assert {int(row["Idx"]): int(row["Idx"]) - 1 for row in rows} == label_set.raw_to_train


@pytest.mark.parametrize(
    ("name", "color"),
    [("wall", (120, 120, 120)), ("sky", (6, 230, 230)), ("person", (150, 5, 61)), ("flag", (92, 0, 255))],
)
def test_ade20k_colors(name, color):
    label_set = load_label_set("ade20k")
    assert label_set.palette[label_set.names.index(name)] == color


def test_camvid_agrees_with_the_list_of_the_data_set(shared: Path):
    lines = (shared / "data/camvid/classes.txt").read_text().splitlines()
    rows = [line.split() for line in lines]
    label_set = load_label_set("camvid")
    assert [row[1] for row in rows[:11]] == list(label_set.names)
    assert [tuple(map(int, row[2:])) for row in rows[:11]] == list(label_set.palette)
    assert label_set.raw_to_train == {index: index for index in range(11)}, "11 is void"


def test_voc_colors_follow_the_rule_of_the_development_kit():
    """Bit `k` of the index, counted from the highest three at a time, goes to bit `7 - k // 3` of channel `k % 3`."""
    indices = np.arange(21)[:, np.newaxis]
    channels = np.arange(3)
    expected = sum(((indices >> (3 * level + channels)) & 1) << (7 - level) for level in range(3))
    np.testing.assert_array_equal(load_label_set("voc").palette_array, expected)


def test_cityscapes_ignores_what_its_benchmark_ignores():
    label_set = load_label_set("cityscapes")
    ignored = {0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30}
    assert set(range(34)) - set(label_set.raw_to_train) == ignored
    assert list(label_set.raw_to_train.values()) == list(range(19)), "train ids follow the order of the ids"
    assert label_set.names[label_set.raw_to_train[26]] == "car"


@pytest.mark.parametrize(
    ("name", "folder", "ignored"),
    [("ade20k", "data/ade20k_samples/annotations", 0), ("camvid", "data/camvid/val/labels", 11)],
)
def test_real_annotations_hold_only_known_raw_values(shared: Path, name, folder, ignored):
    for file in sorted((shared / folder).glob("*.png"))[:5]:
        with Image.open(file) as annotation:
            raw_values = set(np.unique(np.asarray(annotation)).tolist())
        assert raw_values
        assert raw_values - {ignored} <= set(load_label_set(name).raw_to_train)


def test_palette_array():
    palette = load_label_set("cityscapes").palette_array
    assert palette.shape == (19, 3)
    assert palette.dtype == np.uint8
    assert palette[0].tolist() == [128, 64, 128]


def test_from_dict_reads_every_field():
    label_set = LabelSet.from_dict(valid_data())
    assert label_set == LabelSet(
        name="pets",
        title="Cats and dogs",
        names=("cat", "dog"),
        palette=((10, 20, 30), (255, 0, 0)),
        ignore_index=255,
        raw_to_train={1: 0, 2: 1, 7: 1},
        source="a photograph album",
        licence="CC0-1.0",
    )
    assert label_set.to_dict() == valid_data()


def test_raw_values_default_to_the_class_indices():
    data = valid_data()
    del data["raw_to_train"]
    assert LabelSet.from_dict(data).raw_to_train == {0: 0, 1: 1}


def test_label_sets_are_values():
    """They can be compared, hashed, pickled for worker processes and copied; nobody can change them by accident."""
    raw_to_train = {1: 0, 2: 1}
    label_set = LabelSet("pets", ("cat", "dog"), ((0, 0, 0), (1, 1, 1)), raw_to_train=raw_to_train)
    raw_to_train[3] = 1
    assert label_set.raw_to_train == {1: 0, 2: 1}
    assert pickle.loads(pickle.dumps(label_set)) == copy.deepcopy(label_set) == label_set
    assert hash(copy.deepcopy(label_set)) == hash(label_set)
    with pytest.raises(dataclasses.FrozenInstanceError):
        label_set.name = "other"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 3}, "`name` must be a text; got 3"),
        ({"name": ""}, "`name` must not be empty"),
        ({"title": None}, "`title` must be a text; got None"),
        ({"names": "cats"}, "`names` must be a list; got 'cats'"),
        ({"names": []}, r"`names` needs the name of every class; got \(\)"),
        ({"names": ["cat", 1]}, r"`names\[1\]` must be one line of text; got 1"),
        ({"names": ["cat", " "]}, r"`names\[1\]` must be one line of text; got ' '"),
        ({"names": ["cat\n", "dog"]}, r"`names\[0\]` must be one line of text"),
        ({"palette": {"cat": [0, 0, 0]}}, "`palette` must be a list"),
        ({"palette": [[0, 0, 0]]}, "`palette` needs one colour for each of the 2 in `names`; got 1"),
        ({"palette": [[0, 0, 0], [0, 0]]}, r"`palette\[1\]` must be three integers .*; got \(0, 0\)"),
        ({"palette": [[0, 0, 0], [0, 0, 256]]}, r"`palette\[1\]` must be three integers from 0 to 255"),
        ({"palette": [[0, 0, 0.5], [0, 0, 0]]}, r"`palette\[0\]` must be three integers"),
        ({"palette": [[True, 0, 0], [0, 0, 0]]}, r"`palette\[0\]` must be three integers"),
        ({"palette": [7, [0, 0, 0]]}, r"`palette\[0\]` must be three integers .*; got 7"),
        ({"ignore_index": 1}, "`ignore_index` must be an integer that is not a class index, so 2 to 65535; got 1"),
        ({"ignore_index": "255"}, "`ignore_index` must be an integer .*; got '255'"),
        ({"ignore_index": -1}, "`ignore_index` must be an integer .*; got -1"),
        ({"raw_to_train": [0, 1]}, "`raw_to_train` must be an object"),
        ({"raw_to_train": {"cat": 0}}, "`raw_to_train` needs raw pixel values as keys; got 'cat'"),
        ({"raw_to_train": {"70000": 0}}, "`raw_to_train` needs raw values from 0 to 65535 as keys; got 70000"),
        ({"raw_to_train": {"1": 2}}, r"`raw_to_train\[1\]` must be a class index from 0 to 1, .*; got 2"),
        ({"raw_to_train": {"1": None}}, r"`raw_to_train\[1\]` must be a class index"),
        ({"colours": []}, "unknown keys `colours`; remove them"),
    ],
)
def test_from_dict_names_what_is_wrong(changes, message):
    with pytest.raises(InvalidPresetError, match=message):
        LabelSet.from_dict(valid_data() | changes)


def test_from_dict_names_what_is_missing():
    with pytest.raises(InvalidPresetError, match="the label set has no `names`, `palette`; add it"):
        LabelSet.from_dict({"name": "pets"})


@pytest.mark.parametrize("data", [None, [], "ade20k", 3])
def test_from_dict_takes_only_objects(data):
    with pytest.raises(InvalidPresetError, match="a label set must be a JSON object"):
        LabelSet.from_dict(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(valid_data())), json_values)
def test_any_other_json_value_is_read_or_refused_by_name(key, value):
    data = valid_data() | {key: value}
    try:
        label_set = LabelSet.from_dict(data)
    except InvalidPresetError as error:
        assert f"`{key}" in str(error)  # noqa: PT017 (either outcome is right)
    else:
        assert LabelSet.from_dict(label_set.to_dict()) == label_set


def test_constructor_checks_too():
    with pytest.raises(ValueError, match="needs one colour for each of the 2 in `names`"):
        LabelSet("pets", ("cat", "dog"), ((0, 0, 0),))


@pytest.mark.parametrize("num_classes", [2, 3, 19, 150, 255, 256, MAX_DISTINCT_COLORS])
def test_generic(num_classes):
    label_set = LabelSet.generic(num_classes)
    assert label_set.num_classes == num_classes
    assert label_set.names[num_classes - 1] == f"class {num_classes - 1}"
    assert len(set(label_set.palette)) == num_classes
    assert label_set.ignore_index not in range(num_classes)
    assert label_set.raw_to_train == {index: index for index in range(num_classes)}
    assert LabelSet.from_dict(label_set.to_dict()) == label_set


def test_generic_keeps_255_for_ignored_pixels_as_long_as_it_is_no_class():
    assert LabelSet.generic(255).ignore_index == 255
    assert LabelSet.generic(256).ignore_index == 65535


def test_generic_for_a_single_logit_has_two_labels():
    label_set = LabelSet.generic(1)
    assert label_set.names == ("background", "foreground")
    assert label_set.num_classes == len(label_set.palette) == 2


@pytest.mark.parametrize("num_classes", [0, -1, MAX_DISTINCT_COLORS + 1, 2.0, True, "3", None])
def test_generic_refuses_other_numbers(num_classes):
    with pytest.raises(ValueError, match="`num_classes` must be an integer from 1 to 1024"):
        LabelSet.generic(num_classes)


def test_distinct_colors_of_fewer_classes_are_the_first_of_more():
    assert distinct_colors(150)[:21] == distinct_colors(21)


@pytest.mark.parametrize(("count", "distance"), [(8, 0.25), (21, 0.15), (150, 0.06)])
def test_distinct_colors_can_be_told_apart(count, distance):
    """A difference of 0.02 in Oklab is just noticeable; black and white belong to ignored pixels and paper."""
    places = _oklab(np.array([*distinct_colors(count), (0, 0, 0), (255, 255, 255)]))
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=-1)
    assert distances[~np.eye(len(places), dtype=bool)].min() > distance


@pytest.mark.parametrize(
    ("color", "place"),
    [
        ((255, 255, 255), (1.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 0, 255), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab(color, place):
    """White, black, red and blue of sRGB as CSS Color Module Level 4 has them."""
    np.testing.assert_allclose(_oklab(np.array([color]))[0], place, atol=1e-4)


def test_every_class_has_a_korean_name():
    folder = resources.files("keras_segformer.label_sets") / "translations"
    translations = json.loads((folder / "class_names_ko.json").read_text(encoding="utf-8"))
    assert set(translations) == set(label_set_names())
    for name, korean in translations.items():
        assert list(korean) == list(dict.fromkeys(load_label_set(name).names))
        assert len(set(korean.values())) == len(korean)
        assert all(any("\uac00" <= letter <= "\ud7a3" for letter in translated) for translated in korean.values())
