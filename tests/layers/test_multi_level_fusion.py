from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, numpy, random_map, randomize
from gradients import gradients_of
from keras_segformer.layers import MultiLevelFusion
from literal_decoder import LiteralFusion
from reference import bilinear_resize

pytestmark = pytest.mark.backend

CHANNELS = (4, 6, 3, 5)
# The maps of images of 64x96 and 65x97 pixels, and maps that are no halves of each other.
SIZES = [
    [(16, 24), (8, 12), (4, 6), (2, 3)],
    [(17, 25), (9, 13), (5, 7), (3, 4)],
    [(9, 5), (7, 5), (2, 6), (1, 1)],
]


def feature_maps(sizes):
    return [random_map(2, *size, channels) for size, channels in zip(sizes, CHANNELS, strict=True)]


def functional(layer: keras.layers.Layer, maps: list[np.ndarray]) -> keras.Model:
    inputs = [keras.Input(x.shape[1:]) for x in maps]
    return keras.Model(inputs, layer(inputs))


@pytest.mark.parametrize("sizes", SIZES)
def test_is_the_fusion_of_the_paper_in_numpy(sizes):
    maps, fusion = feature_maps(sizes), MultiLevelFusion(7)
    fusion.build([x.shape for x in maps])
    randomize(fusion)
    mapped = [
        x @ numpy(kernel) + numpy(bias)
        for x, kernel, bias in zip(maps, fusion.linear_kernels, fusion.linear_biases, strict=True)
    ]
    concat = np.concatenate([bilinear_resize(x, sizes[0]) for x in mapped[::-1]], axis=-1)
    assert_close(fusion(maps), concat @ numpy(fusion.fuse_kernel))


@pytest.mark.parametrize("sizes", SIZES)
def test_trains_like_the_literal_form(sizes):
    maps, ours, literal = feature_maps(sizes), MultiLevelFusion(7), LiteralFusion(7)
    our_model, literal_model = functional(ours, maps), functional(literal, maps)
    randomize(ours)
    literal.take_weights(ours)
    assert_close(our_model.predict_on_batch(maps), literal_model.predict_on_batch(maps))
    assert our_model.count_params() == literal_model.count_params()

    weights = random_map(2, *sizes[0], 7, seed=9)
    gradients = gradients_of(our_model, maps, weights)
    literal_gradients = gradients_of(literal_model, maps, weights)
    for variable, literal_variable in literal.pairs(ours):
        expected = literal_gradients[literal_variable.path].reshape(variable.shape)
        assert_close(gradients[variable.path], expected, what=variable.path)


def test_takes_a_single_map():
    x, fusion = random_map(1, 4, 5, 3), MultiLevelFusion(7)
    assert fusion([x]).shape == (1, 4, 5, 7)
