from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, numpy, random_map, randomize
from keras_segformer.layers import LinearMap

pytestmark = pytest.mark.backend


def test_is_the_same_matrix_at_every_token():
    x, linear = random_map(2, 3, 5, 4), LinearMap(6)
    linear.build(x.shape)
    randomize(linear)
    kernel, bias = numpy(linear.kernel), numpy(linear.bias)
    assert_close(linear(x), np.einsum("bhwc,cd->bhwd", x, kernel[0, 0]) + bias)


def test_config_keeps_what_keras_layers_take():
    linear = LinearMap(6, use_bias=False, kernel_initializer="zeros", kernel_regularizer="l2")
    clone = LinearMap.from_config(linear.get_config())
    assert not clone.use_bias
    assert isinstance(clone.kernel_initializer, keras.initializers.Zeros)
    assert isinstance(clone.kernel_regularizer, keras.regularizers.L2)
