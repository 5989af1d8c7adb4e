from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, random_map
from keras_segformer.ops import batch_norm, layer_norm
from reference import layer_norm as reference

pytestmark = pytest.mark.backend

GAMMA, BETA = random_map(8, seed=3), random_map(8, seed=4)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("dtype", "result"), [("float16", "float16"), ("float32", "float32"), ("int32", "float32")])
def test_layer_norm_keeps_floating_point_types(dtype, result, training):
    x = keras.ops.cast(keras.ops.convert_to_tensor(random_map(2, 3, 4, 8) * 100), dtype)
    normalized = layer_norm(x, keras.ops.convert_to_tensor(GAMMA), keras.ops.convert_to_tensor(BETA), 1e-6, training)
    assert keras.backend.standardize_dtype(normalized.dtype) == result
    expected = reference(np.float64(keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))), GAMMA, BETA, 1e-6)
    assert_close(keras.ops.cast(normalized, "float32"), expected, 1e-3 if result == "float16" else 1e-5)


def test_batch_norm_returns_biased_statistics_in_single_precision():
    x = keras.ops.cast(keras.ops.convert_to_tensor(random_map(2, 3, 4, 8) * 3 + 5), "float16")
    exact = np.float64(keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")))
    normalized, mean, variance = batch_norm(x, GAMMA, BETA, 1e-5)
    assert keras.backend.standardize_dtype(normalized.dtype) == "float16"
    assert_close(mean, exact.mean((0, 1, 2)))
    assert_close(variance, exact.var((0, 1, 2)))
