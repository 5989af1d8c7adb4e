from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, numpy, random_map
from keras_segformer.ops import attend
from reference import softmax

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("keys", [1, 6])
def test_is_the_softmax_of_products(keys, training):
    query, key, value = random_map(2, 3, 20, 4), random_map(2, 3, 4, keys, seed=3), random_map(2, 3, keys, 4, seed=4)
    tensors = [keras.ops.convert_to_tensor(array) for array in (query, key, value)]
    assert_close(attend(*tensors, training), softmax(np.float64(query @ key)) @ value)


def test_the_softmax_of_half_precision_is_computed_in_float32():
    query = keras.ops.cast(keras.ops.convert_to_tensor(random_map(1, 1, 8, 4) * 8), "float16")
    key = keras.ops.cast(keras.ops.convert_to_tensor(random_map(1, 1, 4, 16, seed=3)), "float16")
    value = keras.ops.cast(keras.ops.convert_to_tensor(random_map(1, 1, 16, 4, seed=4)), "float16")
    mixture = attend(query, key, value)
    assert keras.backend.standardize_dtype(mixture.dtype) == "float16"
    scores = numpy(keras.ops.cast(keras.ops.matmul(query, key), "float32"))
    assert_close(keras.ops.cast(mixture, "float32"), softmax(scores) @ numpy(keras.ops.cast(value, "float32")), 2e-3)
