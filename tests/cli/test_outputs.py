"""The files that `keras-segformer predict` writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segformer.cli.outputs import plan_outputs, write_areas, write_mask
from keras_segformer.label_sets import LabelSet

GENERIC = LabelSet.generic(5)
LABELS = np.array([[4, 4, 0], [4, 0, 2]], np.int32)


def stems(sources: list[str]) -> list[str]:
    planned = plan_outputs([Path(source) for source in sources], Path("out"), mask=True, areas=True)
    names = [outputs.areas.stem for outputs in planned]
    for name, outputs in zip(names, planned, strict=True):
        assert outputs.picture == Path("out") / f"{name}_segmented.png"
        assert outputs.mask == Path("out") / f"{name}_mask.png"
        assert outputs.areas == Path("out") / f"{name}.json"
    return names


def test_outputs_are_named_after_the_pictures():
    assert stems(["a.jpg", "folder/b.c.png", "d"]) == ["a", "b.c", "d"]


def test_no_two_pictures_share_an_output():
    assert stems(["a.jpg", "a.png", "b/a.png"]) == ["a", "a_2", "a_3"]
    assert stems(["a.jpg", "A.png"]) == ["a", "A_2"]
    assert stems(["a.jpg", "a.png", "a_2.png"]) == ["a", "a_2", "a_2_2"]
    assert stems(["a_2.jpg", "a.jpg", "a.png"]) == ["a_2", "a", "a_3"]


def test_masks_and_areas_are_optional():
    [outputs] = plan_outputs([Path("a.png")], Path("out"), mask=False, areas=False)
    assert outputs.mask is None
    assert outputs.areas is None


def test_inputs_are_not_replaced(tmp_path: Path):
    sources = [tmp_path / "a.png", tmp_path / "a_mask.png"]
    assert len(plan_outputs(sources, tmp_path, mask=False, areas=False)) == 2
    with pytest.raises(ValueError, match=r"a_mask.png' is to be read.*choose another --output"):
        plan_outputs(sources, tmp_path, mask=True, areas=False)
    with pytest.raises(ValueError, match="choose another --output"):
        plan_outputs(sources, tmp_path / "folder" / "..", mask=True, areas=False)
    with pytest.raises(ValueError, match="choose another --output"):
        plan_outputs([source.parent / "folder" / ".." / source.name for source in sources], tmp_path, True, False)


@pytest.mark.parametrize("num_classes", [5, 20, 256])
def test_masks_hold_class_indices_and_colours(tmp_path: Path, num_classes):
    label_set = LabelSet.generic(num_classes)
    write_mask(tmp_path / "mask.png", LABELS, label_set)
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), LABELS)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), label_set.palette_array[LABELS])
    header = (tmp_path / "mask.png").read_bytes()[:33]
    assert (header[24], header[25]) == (8, 3)  # bits per pixel, palette


def test_masks_of_many_classes_have_16_bits(tmp_path: Path):
    labels = np.array([[0, 299], [255, 256]], np.int32)
    write_mask(tmp_path / "mask.png", labels, LabelSet.generic(300))
    with Image.open(tmp_path / "mask.png") as image:
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), labels)


def test_areas(tmp_path: Path):
    write_areas(tmp_path / "areas.json", LABELS, GENERIC, source=Path("é.png"), preset="b0")
    assert json.loads((tmp_path / "areas.json").read_text(encoding="utf-8")) == {
        "image": "é.png",
        "height": 2,
        "width": 3,
        "preset": "b0",
        "classes": [
            {"index": 4, "name": "class 4", "pixels": 3, "share": 3 / 6},
            {"index": 0, "name": "class 0", "pixels": 2, "share": 2 / 6},
            {"index": 2, "name": "class 2", "pixels": 1, "share": 1 / 6},
        ],
    }
