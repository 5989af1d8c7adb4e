"""Corrupted pictures are reproducible, and corrupted."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from keras_segformer.analysis import corrupt
from keras_segformer.analysis.corruption_names import CORRUPTIONS, PAPER_CLEAN
from keras_segformer.errors import InvalidImageError, MissingExtraError


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """A picture with flat areas and edges, `(32, 48, 3)`, uint8."""
    blocks = np.random.default_rng(0).integers(40, 200, (4, 6, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


def distance(image: np.ndarray, corruption: str, severity: int) -> float:
    return float(np.abs(corrupt(image, corruption, severity, name="a").astype(float) - image).mean())


def assert_reproducible(image: np.ndarray, corruption: str) -> None:
    """The arguments decide on the random numbers, and nothing else does."""
    first = corrupt(image, corruption, 3, seed=1, name="a")
    np.random.random(7)  # noqa: NPY002
    np.testing.assert_array_equal(corrupt(image, corruption, 3, seed=1, name="a"), first)
    for other in ({"seed": 2, "name": "a"}, {"seed": 1, "name": "b"}):
        assert (corrupt(image, corruption, 3, **other) != first).any()


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("corruption", ["gaussian_noise", "impulse_noise", "motion_blur", "snow", "frost"])
def test_random_numbers_depend_on_the_arguments_alone(image, corruption):
    assert_reproducible(image, corruption)


@pytest.mark.slow  # Numba compiles it
@pytest.mark.usefixtures("library")
def test_so_do_those_of_glass_blur_which_are_numbas(image):
    assert_reproducible(image, "glass_blur")


@pytest.mark.usefixtures("library")
def test_the_global_generator_and_the_picture_are_left_alone(image):
    before, copy = np.random.get_state()[1].copy(), image.copy()  # noqa: NPY002
    corrupt(image, "gaussian_noise", 3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(image, copy)


@pytest.mark.slow
@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_every_corruption_grows_with_its_severity(image, corruption):
    found = corrupt(image[::-1], corruption, 1)  # not contiguous
    assert (found.shape, found.dtype) == (image.shape, np.uint8)
    assert distance(image, corruption, 5) > distance(image, corruption, 1) > 0


def test_the_sixteen_of_the_paper():
    assert len(CORRUPTIONS) == 16
    assert sum(len(each.severities) for each in CORRUPTIONS.values()) == 4 * 3 + 12 * 5
    assert {name for name, each in CORRUPTIONS.items() if len(each.severities) == 3} == {
        name for name in CORRUPTIONS if name.endswith("noise")
    }
    assert all(each.paper_deeplab < each.paper_b5 < PAPER_CLEAN["b5"] for each in CORRUPTIONS.values())


def test_their_names_are_those_of_the_library(library):
    assert CORRUPTIONS.keys() <= set(library.get_corruption_names("all"))


def test_wrong_arguments_are_refused(image):
    with pytest.raises(ValueError, match=r"must be one of motion_blur, .*; got 'rain'"):
        corrupt(image, "rain", 1)
    for severity in (0, 6, 1.5):
        with pytest.raises(ValueError, match=f"whole number from 1 to 5; got {severity}"):
            corrupt(image, "fog", severity)
    with pytest.raises(InvalidImageError, match=r"'a\.png' has 31x48 pixels, but corruptions need at least 32x32; "):
        corrupt(image[1:], "fog", 1, name="a.png")


def test_what_is_missing_is_named(image, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "imagecorruptions", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'keras-segformer\[robustness\]'"):
        corrupt(image, "fog", 1)
    monkeypatch.delitem(sys.modules, "imagecorruptions")
    message = "libGL.so.1: cannot open shared object file"
    (tmp_path / "imagecorruptions.py").write_text(f"raise ImportError({message!r})")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r"libGL\.so\.1.*apt install libgl1\), or put opencv-python-headless"):
        corrupt(image, "fog", 1)
