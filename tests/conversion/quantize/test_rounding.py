"""Rounding of weights."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion.quantize.rounding import (
    _DAMPING,
    _inverse_factor,
    round_nearest,
    round_weights,
    weight_scales,
)


@pytest.fixture
def layer():
    """A kernel and correlated inputs, as those of a network are."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(2000, 12)) @ generator.normal(size=(12, 96)) + 0.1 * generator.normal(
        size=(2000, 96)
    )
    return generator.normal(size=(20, 96)), inputs


def output_error(kernel, scales, integers, inputs):
    return np.mean(np.square(inputs @ (kernel - integers * scales[:, None]).T))


@pytest.mark.parametrize(("bits", "gain"), [(8, 4), (4, 4)])
def test_outputs_change_less_than_by_nearest_rounding(layer, bits, gain):
    kernel, inputs = layer
    scales = weight_scales(kernel, bits)
    nearest = output_error(kernel, scales, round_nearest(kernel, scales, bits), inputs)
    better = output_error(kernel, scales, round_weights(kernel, scales, inputs.T @ inputs, bits), inputs)
    assert better * gain < nearest


def test_inputs_without_correlation_are_rounded_to_the_nearest(layer):
    kernel, _ = layer
    scales = weight_scales(kernel)
    integers = round_weights(kernel, scales, np.diag(np.arange(1.0, 97)))
    np.testing.assert_array_equal(integers, round_nearest(kernel, scales))


@pytest.mark.parametrize("bits", [4, 8])
def test_integers_are_in_range(layer, bits):
    kernel, inputs = layer
    scales = weight_scales(kernel, bits)
    largest = 2 ** (bits - 1) - 1
    for integers in (round_nearest(kernel, scales, bits), round_weights(kernel, scales, inputs.T @ inputs, bits)):
        assert integers.dtype == np.int8
        assert np.abs(integers).max() == largest


@pytest.mark.parametrize("size", [5, 64, 131])
def test_inverse_factor(size):
    inputs = np.random.default_rng(0).normal(size=(300, size))
    gram_matrix = inputs.T @ inputs
    factor = _inverse_factor(gram_matrix)
    assert not np.tril(factor, -1).any()
    damped = gram_matrix + _DAMPING * np.trace(gram_matrix) / size * np.eye(size)
    np.testing.assert_allclose(factor.T @ factor @ damped, np.eye(size), atol=1e-9)


def test_inputs_that_are_always_zero_and_channels_without_weights(layer):
    kernel, inputs = layer
    kernel, inputs = kernel.copy(), inputs.copy()
    kernel[3], inputs[:, 5] = 0, 0
    integers = round_weights(kernel, weight_scales(kernel), inputs.T @ inputs)
    assert not integers[3].any()
    zeros = round_weights(kernel, weight_scales(kernel), np.zeros((96, 96)))
    np.testing.assert_array_equal(zeros, round_nearest(kernel, weight_scales(kernel)))


def test_inputs_that_are_not_finite(layer):
    kernel, _ = layer
    with pytest.raises(ValueError, match="not finite for a calibration image"):
        round_weights(kernel, weight_scales(kernel), np.full((96, 96), np.nan))
