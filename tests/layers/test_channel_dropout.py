from __future__ import annotations

import math

import keras
import numpy as np
import pytest

from comparison import numpy
from keras_segformer.layers import ChannelDropout

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("rate", [0.1, 0.75])
def test_drops_whole_channels_and_scales_the_others(rate):
    samples, channels = 500, 8
    maps = numpy(ChannelDropout(rate, seed=1)(np.ones((samples, 2, 3, channels), "float32"), training=True))
    values = maps.reshape(samples, -1, channels)
    assert (values == values[:, :1]).all()
    np.testing.assert_allclose(np.unique(values), [0, 1 / (1 - rate)], rtol=1e-6)
    draws = samples * channels
    assert (values[:, 0] == 0).mean() == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / draws))


def test_draws_the_numbers_of_keras():
    maps = np.random.default_rng(0).normal(size=(20, 2, 3, 8)).astype("float32")
    ours, theirs = ChannelDropout(0.3, seed=1), keras.layers.SpatialDropout2D(0.3, "channels_last", seed=1)
    for _ in range(2):
        np.testing.assert_allclose(numpy(ours(maps, training=True)), numpy(theirs(maps, training=True)), rtol=1e-6)


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.5, None), (0.0, True)])
def test_is_the_identity_otherwise(rate, training):
    maps = np.random.default_rng(0).normal(size=(50, 1, 2, 3)).astype("float32")
    np.testing.assert_array_equal(numpy(ChannelDropout(rate)(maps, training=training)), maps)
