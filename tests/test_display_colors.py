"""Display colours: apart from each other in a legend and on a photograph, for usual and for colour-blind eyes."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from color_vision import SIGHTS, ciede2000, distances, lab
from keras_segformer import LabelSet, load_label_set
from keras_segformer.label_sets.display_colors import palette_colors

SETS = ("camvid", "cityscapes", "voc")
# CIEDE2000 between the two closest classes. About 2 is seen beside each other, 5 apart from each other.
APART = {"camvid": (19, 10), "cityscapes": (13.5, 7), "voc": (14, 8)}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_the_difference_is_that_of_its_published_test_data(first, second, expected):
    assert float(ciede2000(np.array(first), np.array(second))) == pytest.approx(expected, abs=5e-5)


def test_lab_and_sights_are_the_known_ones():
    np.testing.assert_allclose(lab([255, 255, 255]), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab([255, 0, 0]), [53.24, 80.09, 67.20], atol=0.05)
    for sight in SIGHTS:  # greys stay grey
        np.testing.assert_allclose(lab([90, 90, 90], sight), lab([90, 90, 90]), atol=0.5)
    assert ciede2000(lab([200, 60, 60], "deutan"), lab([130, 110, 60], "deutan")) < 15


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("sight", SIGHTS)
def test_classes_are_apart(name, sight):
    usual, colour_blind = APART[name]
    label_set = load_label_set(name)
    apart = distances(np.array(palette_colors(label_set)), sight).min()
    assert apart >= (usual if sight == "usual" else colour_blind)
    assert apart > distances(label_set.palette_array, sight).min()


@pytest.mark.parametrize("name", SETS)
def test_no_class_looks_like_paper_or_ignored_pixels(name):
    colors = lab(np.array(palette_colors(load_label_set(name))))
    assert ciede2000(colors, lab([255, 255, 255])).min() > 5
    assert ciede2000(colors, lab([0, 0, 0])).min() > 25


@pytest.mark.parametrize("name", SETS)
def test_classes_are_apart_on_a_photograph(name):
    label_set = load_label_set(name)
    with Image.open(Path(__file__).parents[1] / "docs" / "street.jpg") as photograph:
        pixels = np.asarray(photograph.convert("RGB").resize((24, 18))).reshape(-1, 1, 3)

    def closest(colors) -> tuple[float, float]:
        """The least difference of painted classes from the photograph and from each other, medians over the pixels."""
        painted = lab(0.5 * pixels + 0.5 * np.array(colors))  # (pixels, classes, 3), at the usual opacity
        from_photograph = np.median(ciede2000(painted, lab(pixels)), axis=0)
        pairs = itertools.combinations(range(len(colors)), 2)
        return from_photograph.min(), min(np.median(ciede2000(painted[:, i], painted[:, j])) for i, j in pairs)

    display, official = closest(palette_colors(label_set)), closest(label_set.palette)
    assert display[0] > 9
    assert display[1] > 6
    assert display[1] > official[1]


def test_a_data_set_under_another_name_has_them_too():
    camvid = load_label_set("camvid")
    imported = dataclasses.replace(camvid, name="streets", raw_to_train={7: 0})
    assert palette_colors(imported) == palette_colors(camvid) != camvid.palette


def test_colours_of_the_users_own_are_left_alone():
    camvid = load_label_set("camvid")
    own = dataclasses.replace(camvid, palette=((1, 2, 3), *camvid.palette[1:]))
    assert palette_colors(own) == own.palette
    assert palette_colors(LabelSet.generic(3)) == LabelSet.generic(3).palette


def test_the_official_ones_can_be_asked_for():
    camvid = load_label_set("camvid")
    assert palette_colors(camvid, "official") == camvid.palette
    with pytest.raises(ValueError, match="no palette 'dark'; choose one of display, official"):
        palette_colors(camvid, "dark")
