from __future__ import annotations

import math

import numpy as np
import pytest

from comparison import numpy
from keras_segformer.layers import StochasticDepth

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("rate", [0.1, 0.75])
def test_drops_whole_samples_and_scales_the_others(rate):
    samples = 4000
    branch = numpy(StochasticDepth(rate, seed=1)(np.ones((samples, 2, 3, 4), "float32"), training=True))
    values = branch.reshape(samples, -1)
    assert (values == values[:, :1]).all()
    np.testing.assert_allclose(np.unique(values), [0, 1 / (1 - rate)], rtol=1e-6)
    dropped = (values[:, 0] == 0).mean()
    assert dropped == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / samples))


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.5, None), (0.0, True)])
def test_is_the_identity_otherwise(rate, training):
    branch = np.random.default_rng(0).normal(size=(50, 1, 2, 3)).astype("float32")
    np.testing.assert_array_equal(numpy(StochasticDepth(rate)(branch, training=training)), branch)
