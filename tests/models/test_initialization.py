"""Initial weights against those of the original code, as distributions."""

from __future__ import annotations

import math
import re

import keras
import numpy as np
import pytest

from comparison import numpy
from keras_segformer.models import VARIANTS, SegFormerNetwork


@pytest.fixture(scope="module")
def variables() -> dict[str, np.ndarray]:
    keras.utils.set_random_seed(11)
    return {variable.path: numpy(variable) for variable in SegFormerNetwork(VARIANTS["b0"]).weights}


def matching(variables: dict[str, np.ndarray], pattern: str) -> dict[str, np.ndarray]:
    found = {path: values for path, values in variables.items() if re.search(pattern, path)}
    assert found
    return found


def assert_spread(values: np.ndarray, deviation: float, what: str) -> None:
    """Mean 0 and a standard deviation, within five standard errors of a sample of this size."""
    assert values.std() == pytest.approx(deviation, rel=5 / math.sqrt(2 * values.size)), what
    assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size), what


def assert_uniform(values: np.ndarray, bound: float, what: str) -> None:
    assert np.abs(values).max() <= bound, what
    assert_spread(values, bound / math.sqrt(3), what)


def test_linear_maps_of_the_encoder(variables):
    maps = matching(variables, r"(query|key|value|attention/projection|expand|contract)/kernel")
    for path, values in maps.items():
        assert_spread(values, 0.02, path)
    # Not cut at two standard deviations.
    assert max(np.abs(values).max() for values in maps.values()) > 4 * 0.02


def test_convolutions_of_the_encoder(variables):
    for path, values in matching(variables, r"(patch_embedding/projection|reduction|depthwise)/kernel").items():
        height, width, _, outputs = values.shape
        assert_spread(values, math.sqrt(2 / (height * width * outputs)), path)


def test_biases_and_norms_of_the_encoder(variables):
    for path, values in matching(variables, r"stage\d.*/(bias|beta)").items():
        assert (values == 0).all(), path
    for path, values in matching(variables, "stage.*gamma").items():
        assert (values == 1).all(), path


def test_decoder(variables):
    for index, channels in enumerate((32, 64, 160, 256)):
        for part in ("kernel", "bias"):
            path = f"decoder/fusion/linear{index}_{part}"
            assert_uniform(variables[path], 1 / math.sqrt(channels), path)
    assert_spread(variables["decoder/fusion/fuse_kernel"], math.sqrt(2 / 256), "fuse")
    for part in ("kernel", "bias"):
        assert_uniform(variables[f"decoder/classifier/{part}"], 1 / math.sqrt(256), part)
    batch_norm = {path.rpartition("/")[2]: values for path, values in matching(variables, "batch_norm").items()}
    assert {name: set(values) for name, values in batch_norm.items()} == {
        "gamma": {1},
        "beta": {0},
        "moving_mean": {0},
        "moving_variance": {1},
    }
