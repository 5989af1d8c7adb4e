from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, random_map
from keras_segformer.ops import resize_bilinear, spatial_shape
from reference import bilinear_resize

pytestmark = pytest.mark.backend


def test_the_same_size_returns_the_tensor_itself():
    x = keras.ops.convert_to_tensor(random_map(1, 4, 5, 2))
    assert resize_bilinear(x, (4, 5)) is x


@pytest.mark.parametrize("training", [False, True])
def test_keeps_half_precision(training):
    x = keras.ops.cast(random_map(1, 4, 5, 2), "float16")
    resized = resize_bilinear(x, (8, 8), training)
    assert keras.backend.standardize_dtype(resized.dtype) == "float16"
    assert_close(resized, bilinear_resize(np.asarray(keras.ops.convert_to_numpy(x), "float32"), (8, 8)), 1e-3)


def test_spatial_shape_of_maps_and_of_masks():
    assert spatial_shape(keras.ops.zeros((2, 4, 5, 3))) == spatial_shape(keras.ops.zeros((2, 4, 5))) == (4, 5)
