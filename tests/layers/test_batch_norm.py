from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close, random_map, randomize
from gradients import gradients_of
from keras_segformer.layers import BatchNorm

pytestmark = pytest.mark.backend

MAP = random_map(2, 5, 7, 8) * 3 + 5


def pair(**options):
    """Ours and that of Keras, each as a model, with the same parameters."""
    models = []
    for kind in (BatchNorm, keras.layers.BatchNormalization):
        inputs = keras.Input((None, None, 8))
        models.append(keras.Model(inputs, kind(momentum=0.9, **options)(inputs)))
    randomize(models[0])
    models[1].set_weights(models[0].get_weights())
    return models


@pytest.mark.parametrize("options", [{"epsilon": 1e-5}, {"epsilon": 0.1}, {"synchronized": True}])
def test_is_the_batch_norm_of_keras(options):
    if "synchronized" in options and keras.backend.backend() != "tensorflow":
        pytest.skip("Keras synchronises replicas on TensorFlow alone")
    ours, theirs = pair(**options)
    assert_close(ours(MAP, training=True), theirs(MAP, training=True))
    for variable, expected in zip(ours.weights, theirs.weights, strict=True):
        assert_close(variable, expected, what=variable.path)
    assert_close(ours(MAP), theirs(MAP))


def test_gradients():
    ours, theirs = pair()
    weights = random_map(2, 5, 7, 8, seed=3)
    expected = list(gradients_of(theirs, MAP, weights).values())
    assert len(expected) == 2
    for actual, gradient in zip(gradients_of(ours, MAP, weights).values(), expected, strict=True):
        assert_close(actual, gradient, 1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_policies(policy):
    if policy == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless told otherwise")
    ours, theirs = pair(dtype=policy)
    actual = ours(MAP, training=True)
    assert keras.backend.standardize_dtype(actual.dtype) == policy.removeprefix("mixed_")
    assert_close(keras.ops.cast(actual, "float32"), keras.ops.cast(theirs(MAP, training=True), "float32"), 1e-5)


def test_frozen_it_does_not_learn():
    model, _ = pair()
    before = model.get_weights()
    model.layers[-1].trainable = False
    assert_close(model(MAP, training=True), model(MAP))
    for array, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)
