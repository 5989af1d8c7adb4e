"""Reading the weights of a model."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.models import SegFormerNetwork
from tiny import tiny_config


def test_arrays_are_float64(tiny):
    network = read_network(tiny)
    assert network.stages[0].embedding.kernel.dtype == network.decoder.classifier.bias.dtype == np.float64


def test_model_that_is_not_a_segformer():
    images = keras.Input((32, 32, 3))
    with pytest.raises(ValueError, match="Only a SegFormer can be converted, not a Functional"):
        read_network(keras.Model(images, keras.layers.Conv2D(4, 1, data_format="channels_last")(images)))


def test_backbone_of_another_kind():
    images = keras.Input((None, None, 3))
    features = [keras.layers.AveragePooling2D(4 * 2**i, data_format="channels_last")(images) for i in range(4)]
    backbone = keras.Model(images, features, name="pools")
    network = read_network(SegFormerNetwork(tiny_config(encoder=None), backbone=backbone))
    assert network.stages == ()
    assert network.foreign.finest_size((66, 99)) == (16, 24)


def test_weights_that_are_not_finite():
    model = SegFormerNetwork(tiny_config())
    model.decoder.classifier.bias.assign([np.nan] * 5)
    with pytest.raises(ValueError, match=r"decoder/classifier/bias' contain NaN"):
        read_network(model)
