"""Ranges of activations."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion.quantize.ranges import activation_ranges, best_range
from keras_segformer.conversion.quantize.statistics import Statistics


def error(values, low, high, bits):
    step = (high - low) / (2**bits - 1)
    return np.mean(np.square(values - np.rint(np.clip(values, low, high) / step) * step))


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("shape", ["laplace", "standard_cauchy", "uniform"])
def test_error_is_at_most_that_of_the_whole_range(shape, bits):
    values = getattr(np.random.default_rng(0), shape)(size=5000)
    low, high = best_range(values, bits)
    assert low <= 0 <= high
    assert min(0, values.min()) <= low
    assert high <= values.max()
    whole = error(values, min(0, values.min()), values.max(), bits)
    assert error(values, low, high, bits) <= whole * (0.7 if shape == "laplace" and bits == 4 else 1)


def test_range_of_zeros():
    assert best_range(np.zeros(10)) == (0, 0)


def test_values_that_gelu_maps_to_zero_are_clipped(float_file):
    before_gelu = {node.inputs[0].name for node in float_file.file.nodes if node.name == "GELU"}
    values = dict.fromkeys([*before_gelu, "other"], np.linspace(-40, 4, 1000))
    ranges = activation_ranges(Statistics(gram_matrices={}, values=values), float_file.file)
    assert before_gelu
    assert all(ranges[name][0] >= -4 for name in before_gelu)
    assert ranges["other"][0] < -30
