"""Channels of one size before the decoder: the same function, of which INT8 keeps more."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from comparison import assert_close
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.even_channels import even_channels
from keras_segformer.conversion.graph.weights import read_network


def test_same_function(model, model_name, traced_logits, logits_of):
    network = even_channels(fold_all(read_network(model)))
    assert_close(traced_logits(network, 64, 96), logits_of(model_name, 64, 96))


def with_weights(network, kernel):
    *others, last = network.decoder.branches
    branches = (*others, dataclasses.replace(last, kernel=kernel))
    return dataclasses.replace(network, decoder=dataclasses.replace(network.decoder, branches=branches))


def test_channels_that_the_decoder_ignores_stay_finite(tiny):
    network = fold_all(read_network(tiny))
    kernel = network.decoder.branches[-1].kernel.copy()
    kernel[0] = 0
    even = even_channels(with_weights(network, kernel))
    assert np.isfinite(even.decoder.branches[-1].kernel).all()
    factors = even.stages[-1].decoder_factors
    np.testing.assert_allclose(even.decoder.branches[-1].kernel * factors[:, None], kernel)


def int8_error(x, kernel):
    """Of the product where the tokens are rounded to 255 steps, relative to its size."""
    step = (x.max(axis=1, keepdims=True) - x.min(axis=1, keepdims=True)) / 255
    exact = x @ kernel
    return np.square((x / step).round() * step @ kernel - exact).mean() / exact.var()


@pytest.mark.parametrize("outlier", [30.0, 100.0])
def test_a_channel_far_above_the_others_costs_less(tiny, outlier):
    """As in trained networks: a channel that is large in every token, and of which the weights are small."""
    network = fold_all(read_network(tiny))
    kernel = network.decoder.branches[-1].kernel.copy()
    kernel[3] /= outlier
    x = np.random.default_rng(0).normal(size=(200, len(kernel)))
    x[:, 3] = outlier
    network = with_weights(network, kernel)
    even = even_channels(network)
    scaled = x * even.stages[-1].decoder_factors
    assert int8_error(scaled, even.decoder.branches[-1].kernel) < int8_error(x, kernel) / 4
