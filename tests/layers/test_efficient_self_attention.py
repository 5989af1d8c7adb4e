from __future__ import annotations

import numpy as np
import pytest

from comparison import assert_close, numpy, random_map, randomize
from keras_segformer.layers import EfficientSelfAttention, LinearMap
from reference import attention, convolution, layer_norm

pytestmark = pytest.mark.backend


def linear(layer: LinearMap, x: np.ndarray) -> np.ndarray:
    return x @ numpy(layer.kernel)[0, 0] + numpy(layer.bias)


@pytest.mark.parametrize(
    ("size", "num_heads", "sr_ratio"),
    [((4, 6), 1, 1), ((5, 3), 4, 1), ((8, 8), 2, 4), ((9, 7), 4, 2), ((8, 9), 2, 8)],
    ids=["one head", "four heads", "reduced", "reduced, odd", "a single key"],
)
def test_is_the_attention_of_the_paper(size, num_heads, sr_ratio):
    x = random_map(2, *size, 8)
    layer = EfficientSelfAttention(8, num_heads, sr_ratio, epsilon=1e-3)
    layer.build(x.shape)
    randomize(layer)

    reduced = x.astype("float64")
    if sr_ratio > 1:
        kernel, bias = numpy(layer.reduction.kernel), numpy(layer.reduction.bias)
        norm = layer.reduction_norm
        reduced = convolution(reduced, kernel, bias, stride=sr_ratio)
        reduced = layer_norm(reduced, numpy(norm.gamma), numpy(norm.beta), epsilon=1e-3)
    tokens, keys = x.reshape(2, -1, 8), reduced.reshape(2, -1, 8)
    mixed = attention(linear(layer.query, tokens), linear(layer.key, keys), linear(layer.value, keys), num_heads)
    assert_close(layer(x), linear(layer.projection, mixed).reshape(x.shape))


def test_large_scores_stay_finite_in_half_precision():
    x = random_map(1, 4, 4, 8)
    x /= np.abs(x).max()
    layer = EfficientSelfAttention(8, 2, 1, dtype="mixed_float16")
    layer.build(x.shape)
    layer.query.kernel.assign(np.eye(8)[None, None] * 100)
    layer.key.kernel.assign(np.eye(8)[None, None] * 100)
    # Scores of up to 20,000, whose powers no float holds.
    assert np.isfinite(numpy(layer(x))).all()


@pytest.mark.parametrize("size", [(7, 64), (64, 7)])
def test_too_small_a_map_is_refused(size):
    layer = EfficientSelfAttention(8, 1, sr_ratio=8)
    layer.build((None, None, None, 8))
    with pytest.raises(ValueError, match="at least 32x32 pixels"):
        layer(random_map(1, *size, 8))
