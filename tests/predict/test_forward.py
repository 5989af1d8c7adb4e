"""The forward pass of prediction."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict.forward import quarter_logits
from tiny import tiny_config


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (96, 64), (45, 33)])
def test_logits_are_those_of_the_network(model, size):
    images = np.random.default_rng(0).uniform(0, 255, (2, *size, 3)).astype("float32")
    logits = quarter_logits(model, images)
    assert logits.dtype == np.float32
    expected = keras.ops.convert_to_numpy(model.quarter(images, training=False))
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_a_binary_model_has_a_channel_per_label(binary_model):
    images = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype("float32")
    logits = quarter_logits(binary_model, images)
    assert logits.shape == (1, 16, 16, 2)
    assert (logits[..., 0] == 0).all()
    expected = keras.ops.convert_to_numpy(binary_model.quarter(images, training=False))[..., 0]
    np.testing.assert_allclose(logits[..., 1], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_logits_of_half_precision_are_float32(dtype):
    model = SegFormerNetwork(tiny_config(), dtype=dtype)
    assert quarter_logits(model, np.zeros((1, 64, 64, 3), np.float32)).dtype == np.float32


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_broken_weights_are_named(value):
    model = SegFormerNetwork(tiny_config())
    bias = model.decoder.classifier.bias
    bias.assign(np.full(bias.shape, value))
    with pytest.raises(ValueError, match="NaN or infinite: its weights are broken"):
        quarter_logits(model, np.zeros((1, 64, 64, 3), np.float32))
