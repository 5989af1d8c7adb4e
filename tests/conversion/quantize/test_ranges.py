"""Ranges of activations."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion.quantize.ranges import activation_ranges, best_range, best_range_of_logits
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


@pytest.mark.parametrize("classes", [2, 150])
def test_range_of_logits_keeps_labels(classes):
    generator = np.random.default_rng(0)
    logits = generator.normal(-15, 6, (2000, classes)).astype(np.float32)
    logits[np.arange(2000), generator.integers(0, classes, 2000)] = generator.normal(0, 1, 2000)
    found, usual = best_range_of_logits(logits), best_range(logits.ravel())

    def kept(low, high):
        step = (high - low) / 255
        rounded = np.rint(np.clip(logits, low, high) / step)
        return np.mean(rounded.argmax(axis=-1) == logits.argmax(axis=-1)), np.mean(rounded == rounded.min())

    assert found[0] <= 0 <= found[1]
    assert found[1] - found[0] < usual[1] - usual[0]
    assert kept(*found)[0] >= kept(*usual)[0] > 0.9
    assert kept(*found)[1] > 0.2  # most of what is never the largest has one value


def test_range_of_one_logit():
    logits = np.random.default_rng(0).normal(0, 4, (500, 1))
    low, high = best_range_of_logits(logits)
    assert low < -2
    assert high > 2


def test_range_of_logits_is_one_for_all_tiles(float_file):
    tiles = {"first": np.array([[-50.0, 0.0, 1.0]]), "second": np.array([[-50.0, 3.0, 1.0]])}
    values = dict.fromkeys([*tiles, "other"], np.linspace(-50, 3, 1000))
    statistics = Statistics(gram_matrices={}, values=values, logits=tiles)
    ranges = activation_ranges(statistics, float_file.file)
    assert ranges["first"] == ranges["second"] == best_range_of_logits(np.concatenate(list(tiles.values())))
    assert ranges["first"][0] > ranges["other"][0] / 2
    exact = activation_ranges(statistics, float_file.file, bits=16)
    assert exact["first"] == exact["second"] == exact["other"]


def test_values_that_gelu_maps_to_zero_are_clipped(float_file):
    before_gelu = {node.inputs[0].name for node in float_file.file.nodes if node.name == "GELU"}
    values = dict.fromkeys([*before_gelu, "other"], np.linspace(-40, 4, 1000))
    ranges = activation_ranges(Statistics(gram_matrices={}, values=values), float_file.file)
    assert before_gelu
    assert all(ranges[name][0] >= -4 for name in before_gelu)
    assert ranges["other"][0] < -30
