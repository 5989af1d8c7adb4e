"""The size at which the network sees a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segformer.errors import InvalidImageError
from keras_segformer.predict.sizes import resize_shape

ADE20K = (512, 512)
CITYSCAPES = (1024, 1024)

lengths = st.integers(1, 20_000)


@pytest.mark.parametrize(
    ("image_size", "input_size", "expected"),
    [
        ((480, 640), ADE20K, (512, 704)),
        ((512, 683), ADE20K, (512, 704)),
        ((683, 512), ADE20K, (704, 512)),
        ((512, 512), ADE20K, (512, 512)),
        ((3000, 4000), ADE20K, (512, 704)),
        ((5120, 7043), ADE20K, (512, 704)),
        ((683, 1024), (640, 640), (640, 960)),
        ((1024, 2048), CITYSCAPES, (1024, 2048)),
        ((1024, 2048), (512, 1024), (512, 1024)),
        ((500, 3000), CITYSCAPES, (352, 2048)),
        ((1, 1), ADE20K, (512, 512)),
        ((1, 4000), ADE20K, (32, 2048)),
        ((4000, 1), ADE20K, (2048, 32)),
        ((360, 480), (360, 480), (384, 480)),
        ((1500, 3000), (3000, 3000), (1504, 3008)),
    ],
)
def test_aligned(image_size, input_size, expected):
    assert resize_shape(image_size, "aligned", input_size) == expected


@given(lengths, lengths)
def test_aligned_sides_are_the_rescaled_ones_rounded_up_to_multiples_of_32(height, width):
    network_size = resize_shape((height, width), "aligned", ADE20K)
    assert all(side % 32 == 0 for side in network_size)
    assert min(network_size) <= 512
    assert max(network_size) <= 2048
    scale = min(512 / min(height, width), 2048 / max(height, width))
    for side, length in zip(network_size, (height, width), strict=True):
        assert -0.5 <= side - length * scale <= 32


def test_other_choices():
    assert resize_shape((50, 70), "square", (512, 768)) == (512, 768)
    assert resize_shape((50, 70), "native", ADE20K) == (50, 70)
    assert resize_shape((50, 70), (32, 100), ADE20K) == (32, 100)
    assert resize_shape((50, 70), [32, 100], ADE20K) == (32, 100)


@pytest.mark.parametrize(
    ("image_size", "input_size", "scale", "expected"),
    [
        ((480, 640), ADE20K, 0.5, (256, 352)),
        ((480, 640), ADE20K, 1.25, (640, 864)),
        ((480, 640), ADE20K, 1.75, (896, 1216)),
        ((300, 3000), ADE20K, 0.5, (128, 1024)),
        ((1024, 2048), CITYSCAPES, 1.75, (1792, 3584)),
        ((1024, 2048), CITYSCAPES, 0.75, (768, 1536)),
    ],
)
def test_aligned_scales_both_bounds(image_size, input_size, scale, expected):
    assert resize_shape(image_size, "aligned", input_size, scale) == expected


def test_other_choices_are_scaled_to_whole_pixels():
    assert resize_shape((50, 70), "square", (512, 768), 0.75) == (384, 576)
    assert resize_shape((50, 70), "native", ADE20K, 1.25) == (62, 88)
    assert resize_shape((50, 70), (32, 100), ADE20K, 0.5) == (32, 50)


@pytest.mark.parametrize("image_size", [(31, 500), (500, 31), (1, 1)])
def test_native_needs_32_pixels(image_size):
    with pytest.raises(InvalidImageError, match='size="aligned"'):
        resize_shape(image_size, "native", ADE20K)


@pytest.mark.parametrize(
    "choice", ["Aligned", "512x512", "", (31, 64), (64,), (64, 64, 3), (64.0, 64.0), 512, None, ("64", "64"), {64, 65}]
)
def test_anything_else_is_refused(choice):
    with pytest.raises(ValueError, match='"aligned", "square", "native" or'):
        resize_shape((50, 70), choice, ADE20K)


def test_an_array_is_no_size():
    with pytest.raises(ValueError, match="`size` must be"):
        resize_shape((50, 70), np.array([64, 64]), ADE20K)
