from __future__ import annotations

import keras
import pytest

from comparison import assert_close, random_map, randomize
from keras_segformer.layers import LayerNorm
from reference import layer_norm

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("epsilon", [1e-6, 1e-5, 0.1])
def test_is_the_layer_norm_of_keras(epsilon):
    x = random_map(2, 3, 4, 8) * 3 + 5
    ours, theirs = LayerNorm(epsilon), keras.layers.LayerNormalization(epsilon=epsilon)
    ours.build(x.shape), theirs.build(x.shape)
    randomize(ours)
    theirs.gamma.assign(ours.gamma)
    theirs.beta.assign(ours.beta)
    assert_close(ours(x), theirs(x))
    gamma, beta = (keras.ops.convert_to_numpy(each) for each in (ours.gamma, ours.beta))
    assert_close(ours(x), layer_norm(x.astype("float64"), gamma, beta, epsilon))


def test_starts_as_the_identity_of_normalised_channels():
    x = layer_norm(random_map(2, 3, 4, 8).astype("float64"), 1, 0, 0)
    assert_close(LayerNorm(1e-12)(x.astype("float32")), x)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_squares_that_overflow_float16(policy):
    x = random_map(2, 3, 4, 8) * 1e4
    y = LayerNorm(dtype=policy)(x)
    assert keras.backend.standardize_dtype(y.dtype) == policy.removeprefix("mixed_")
    assert_close(keras.ops.cast(y, "float32"), LayerNorm()(x), tolerance=1e-2)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX has no float64 unless told otherwise")
def test_keeps_float64():
    x = random_map(2, 3, 4, 8).astype("float64")
    assert_close(LayerNorm(1e-6, dtype="float64")(x), layer_norm(x, 1, 0, 1e-6), tolerance=1e-14)
