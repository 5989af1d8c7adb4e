from __future__ import annotations

import keras
import pytest

from comparison import assert_close, random_map
from keras_segformer.layers import ResizeLike
from reference import bilinear_resize

pytestmark = pytest.mark.backend

# Twice and four times, thrice, to odd sizes as strides of odd images give them, down, and from a single pixel.
SIZES = [((4, 5), (8, 10)), ((4, 3), (16, 12)), ((3, 2), (9, 6)), ((5, 6), (9, 12)), ((9, 7), (4, 5)), ((1, 1), (3, 2))]


@pytest.mark.parametrize(("source", "target"), SIZES)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_resize_like_has_half_pixel_centres(source, target, jit_compile):
    x, reference = random_map(2, *source, 3), random_map(2, *target, 1)
    inputs = [keras.Input((None, None, 3)), keras.Input((None, None, 1))]
    model = keras.Model(inputs, ResizeLike()(inputs))
    model.compile(jit_compile=jit_compile)
    assert_close(model.predict_on_batch([x, reference]), bilinear_resize(x, target))
