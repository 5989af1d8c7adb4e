"""Gradients by inputs, against differences, on both backends."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.ops import pull_back


@pytest.mark.backend
def test_gradients_are_those_of_the_function():
    x, y = np.array([1.0, 2.0], np.float32), np.array([3.0, 5.0], np.float32)

    def function(inputs):
        first, second = inputs
        return [first * second, keras.ops.sum(first**2)]

    outputs, pull = pull_back(function, [keras.ops.array(x), keras.ops.array(y)])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(outputs[0]), x * y)
    for weight in (1.0, 2.0):  # may be called several times
        by_x, by_y = pull([keras.ops.array([weight, 0.0]), keras.ops.array(1.0)])
        np.testing.assert_allclose(keras.ops.convert_to_numpy(by_x), [weight * 3 + 2, 4])
        np.testing.assert_allclose(keras.ops.convert_to_numpy(by_y), [weight, 0])


@pytest.mark.backend
def test_inputs_that_do_not_matter_have_no_gradient():
    one = keras.ops.array([1.0])
    _, pull = pull_back(lambda inputs: [inputs[0]], [one, one])
    assert [float(each[0]) for each in pull([one])] == [1, 0]


def test_other_backends_are_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="need the backend tensorflow or jax; got KERAS_BACKEND=torch"):
        pull_back(lambda inputs: inputs, [])
