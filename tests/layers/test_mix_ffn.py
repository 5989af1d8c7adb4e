from __future__ import annotations

import numpy as np
import pytest

from comparison import assert_close, numpy, random_map, randomize
from keras_segformer.layers import MixFFN
from reference import depthwise_convolution, gelu

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("convolution", [True, False])
def test_is_the_feed_forward_network_of_the_paper(convolution):
    x = random_map(2, 5, 6, 4) * 2
    ffn = MixFFN(4, 12, convolution)
    ffn.build(x.shape)
    randomize(ffn)
    hidden = x @ numpy(ffn.expand.kernel)[0, 0] + numpy(ffn.expand.bias)
    if convolution:
        kernel, bias = numpy(ffn.depthwise.kernel)[..., 0], numpy(ffn.depthwise.bias)
        hidden = depthwise_convolution(hidden, kernel, bias, padding=1)
    # The tanh approximation of GELU is a hundred times further away than the tolerance.
    expected = gelu(hidden) @ numpy(ffn.contract.kernel)[0, 0] + numpy(ffn.contract.bias)
    assert_close(ffn(x), expected, tolerance=1e-6)
    assert len(ffn.weights) == (6 if convolution else 4)


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("relu", lambda x: np.maximum(x, 0)),
        ("hard_swish", lambda x: x * np.clip(x + 3, 0, 6) / 6),
    ],
)
def test_other_activations(activation, function):
    x = random_map(1, 3, 4, 4) * 4
    ffn = MixFFN(4, 6, convolution=False, activation=activation)
    ffn.build(x.shape)
    randomize(ffn)
    hidden = x @ numpy(ffn.expand.kernel)[0, 0] + numpy(ffn.expand.bias)
    expected = function(hidden) @ numpy(ffn.contract.kernel)[0, 0] + numpy(ffn.contract.bias)
    assert_close(ffn(x), expected, tolerance=1e-6)
