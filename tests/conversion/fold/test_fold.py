"""Each fold by itself and all together leave the function unchanged."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest

from comparison import assert_close
from keras_segformer import SegFormer
from keras_segformer.conversion.fold import FOLDS, fold_all, fold_norm_affine
from keras_segformer.conversion.fold.rewrite import convolution_after_affine
from keras_segformer.conversion.graph.network import Affine, Convolution, Linear
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from random_models import random_model


def backwards(network):
    for fold in reversed(FOLDS):
        network = fold(network)
    return network


def compute(network, images):
    function = trace_network(network, images.shape[1:3]).function
    pictures = np.split(images.astype("float32"), len(images))
    return np.concatenate([function(keras.ops.convert_to_tensor(each))["logits"].numpy() for each in pictures])


def assert_same(actual, expected, what=""):
    assert_close(actual, expected, what=what)
    if expected.shape[-1] > 1:
        np.testing.assert_array_equal(actual.argmax(-1), expected.argmax(-1), what)


def test_all_folds_leave_the_function(model, model_name, photograph, logits_of):
    assert_same(compute(fold_all(read_network(model)), photograph(64, 96)), logits_of(model_name, 64, 96))


@pytest.mark.parametrize("fold", [lambda network: network, *FOLDS, backwards])
def test_fold_alone_leaves_the_function(photograph, logits_of, fold):
    network = fold(read_network(random_model("deep")))
    assert_same(compute(network, photograph(64, 96)), logits_of("deep", 64, 96))


def test_nothing_is_left_to_fold(model):
    network = fold_all(read_network(model))
    assert network.std is None
    assert network.decoder.batch_norm is None
    assert all(network.stages[stage - 1].to_decoder is None for stage in network.decoder.stages)
    for stage in network.stages:
        assert isinstance(stage.start, Linear)
        assert stage.norm.centered
        assert stage.embedding_norm.centered
        for block in stage.blocks:
            assert block.norm1.centered
            assert block.norm2.centered
            assert block.affine1 is block.affine2 is None
            assert (block.attention.projection is None) == (block.attention.num_heads == 1)
            assert block.attention.reduction_affine is None


def test_folds_do_not_change_their_argument(tiny):
    network = read_network(tiny)
    before = json.dumps(dataclasses.asdict(network), default=np.ndarray.tolist)
    fold_all(network)
    assert json.dumps(dataclasses.asdict(network), default=np.ndarray.tolist) == before


def test_affine_maps_stay_before_a_border():
    ones = np.ones(2)
    padded = Convolution(
        block="stage1", role="embedding", kernel=np.ones((3, 3, 2, 4)), bias=np.zeros(4), stride=2, padding=1
    )
    with pytest.raises(ValueError, match="padded"):
        convolution_after_affine(Affine(block="stage1", role="to_next", gamma=ones, beta=ones), padded)


def test_affine_map_to_the_next_stage_stays(tiny):
    network = read_network(tiny)
    assert fold_norm_affine(network).stages[0].to_next is network.stages[0].to_next


@pytest.mark.parametrize("folder", ["tiny_hf", "tiny_official"])
@pytest.mark.parametrize("case", ["case0", "case1", "case2", "case3"])
def test_golden_models(shared, folder, case):
    """Logits that transformers computed, at square and odd sizes."""
    epsilons = {"block_norm_epsilon": 1e-6, "stage_norm_epsilon": 1e-6} if folder == "tiny_official" else {}
    model = SegFormer.from_preset(shared / "golden" / folder / "model.safetensors", **epsilons)
    expected = np.load(shared / "golden" / folder / "expected.npz")
    images = expected[f"{case}.input"] * model.config.image_std + model.config.image_mean
    assert_same(compute(fold_all(read_network(model)), images.astype("float32")), expected[f"{case}.logits"], case)
