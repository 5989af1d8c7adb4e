"""How tests compare and fill layers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def numpy(x: Any) -> np.ndarray:
    """A tensor or variable of any backend as float64, so that references lose no digits."""
    return np.asarray(keras.ops.convert_to_numpy(x), "float64")


def assert_close(actual: Any, expected: Any, tolerance: float = 1e-5, what: str = "") -> None:
    """The same shape, and within a relative Frobenius norm."""
    actual, expected = numpy(actual), numpy(expected)
    assert actual.shape == expected.shape, what
    error, scale = np.linalg.norm(actual - expected), np.linalg.norm(expected)
    assert error <= tolerance * scale, f"{what} relative error {error / scale:.1e}"


def squared_error(actual: np.ndarray, expected: np.ndarray) -> float:
    """The mean squared error, as a share of the variance."""
    return float(np.mean(np.square(actual - expected)) / np.var(expected))


def outputs_of(model: keras.Model, inputs: Any) -> Any:
    """The outputs for a batch, computed as takes the backend the least time.

    TensorFlow need not trace for a single call, while JAX compiles the whole model sooner than its operations one by
    one. Tests of the graph itself call `predict_on_batch`.
    """
    return model.predict_on_batch(inputs) if keras.backend.backend() == "jax" else model(inputs, training=False)


def randomize(layer: keras.layers.Layer, seed: int = 1) -> None:
    """Random values for every weight, so that none is hidden by an initial 0 or 1; variances stay positive."""
    generator = np.random.default_rng(seed)
    for weight in layer.weights:
        values = generator.normal(scale=0.5, size=weight.shape)
        weight.assign(np.abs(values) + 0.5 if weight.path.endswith("variance") else values)


def random_map(*shape: int, seed: int = 2) -> np.ndarray:
    """A random feature map."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")
