"""Bilinear interpolation."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segformer.ops import resize_bilinear
from keras_segformer.predict.interpolation import interpolation, resized_rows, resized_with_antialiasing

lengths = st.integers(1, 70)


@given(lengths, lengths)
def test_neighbours_enclose_the_position(source, target):
    low, high, weight = interpolation(source, target)
    assert low.shape == high.shape == weight.shape == (target,)
    assert low.min() >= 0
    assert high.max() <= source - 1
    assert np.isin(high - low, (0, 1)).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    positions = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    np.testing.assert_allclose(low + weight, positions, atol=1e-5)


@pytest.mark.parametrize("size", [(9, 7), (20, 31), (64, 8), (5, 4), (1, 1), (9, 8)])
def test_resized_rows_are_those_of_the_networks_own_resize(size):
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    whole = resized_rows(image, size)
    expected = keras.ops.convert_to_numpy(resize_bilinear(image[None].astype("float32"), size))[0]
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, expected, atol=1e-3)
    middle = slice(size[0] // 3, size[0] // 3 + size[0] // 2)
    np.testing.assert_array_equal(resized_rows(image, size, middle), whole[middle])


def test_a_picture_of_the_wanted_size_stays_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    rows = resized_rows(image, (9, 8), slice(2, 5))
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, image[2:5])


def test_antialiasing_gives_the_pixels_of_transformers():
    """The numbers are those of `SegformerImageProcessor(size={"height": 3, "width": 4})`, transformers 4.57."""
    image = (np.arange(80) * 37 % 256).astype(np.uint8).reshape(8, 10, 1).repeat(3, axis=2)
    resized = resized_with_antialiasing(image, (3, 4))
    expected = [[101, 122, 119, 105], [129, 128, 125, 127], [133, 130, 144, 143]]
    assert resized.tolist() == [[[value] * 3 for value in row] for row in expected]
    assert np.abs(resized - resized_rows(image, (3, 4))).max() > 20
