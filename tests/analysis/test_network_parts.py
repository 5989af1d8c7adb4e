"""Networks in parts compute what the whole does."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.analysis.network_parts import network_parts
from keras_segformer.models import MixTransformer
from tiny import TINY


def run(model: keras.Model, images: np.ndarray) -> dict[int, np.ndarray]:
    """The outputs by their place, computed part by part."""
    values, x = {}, keras.ops.convert_to_tensor(images)
    for part in network_parts(model):
        outputs = part([x])
        values |= {index: each for index, each in zip(part.indices, outputs, strict=True) if index is not None}
        x = outputs[-1]
    return {index: keras.ops.convert_to_numpy(each) for index, each in values.items()}


def assert_same(model: keras.Model) -> None:
    images = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype(np.float32)
    found = run(model, images)
    for index, expected in enumerate(model(images)):
        np.testing.assert_array_equal(found[index], keras.ops.convert_to_numpy(expected))


def test_every_layer_of_the_transformer_is_a_part():
    encoder = MixTransformer(TINY)
    parts = network_parts(encoder)
    assert [node.operation.name for part in parts for node in part.nodes] == [
        layer.name for layer in encoder.layers[1:]
    ]
    assert {len(part.nodes) for part in parts} == {1}
    assert [part.indices[0] for part in parts if part.indices[0] is not None] == [0, 1, 2, 3]
    assert_same(encoder)


def test_parts_of_residual_blocks_and_side_outputs():
    images = keras.Input((None, None, 3))
    stem = keras.layers.Conv2D(4, 3, padding="same")(images)
    shared = keras.layers.Conv2D(4, 3, padding="same")
    block = keras.layers.Add()([shared(shared(stem)), stem])  # one layer called twice
    side = keras.layers.ReLU()(block)  # a leaf
    last = keras.layers.MaxPooling2D()(block)
    model = keras.Model(images, [stem, side, last])
    parts = network_parts(model)
    assert [len(part.nodes) for part in parts] == [1, 3, 1, 1]
    assert [part.indices for part in parts] == [(0,), (None,), (1, None), (2,)]
    assert_same(model)


def test_outputs_before_the_end_of_a_part():
    images = keras.Input((None, None, 3))
    inner = keras.layers.ReLU()(images)
    model = keras.Model(images, [inner, keras.layers.Add()([inner, keras.layers.Conv2D(3, 1)(images)])])
    assert [part.indices for part in network_parts(model)] == [(0, 1)]
    assert_same(model)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="functional model of one input"):
        network_parts(keras.Sequential())
    pair = [keras.Input((1,)), keras.Input((1,))]
    with pytest.raises(ValueError, match="functional model of one input"):
        network_parts(keras.Model(pair, keras.layers.Add()(pair)))
