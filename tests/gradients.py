"""Gradients on any backend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

# Far above the variables themselves, so that subtracting these costs the gradients no digits.
_RATE = 2.0**20


def gradients_of(model: keras.Model, inputs: Any, weights: Any, jit_compile: bool = False) -> dict[str, np.ndarray]:
    """Gradients of `mean(weights * model(inputs))` in training mode, read off one step of gradient descent.

    Args:
        model: A built model; its other state, such as batch norm's averages, takes the step as well.
        inputs: What `model` takes.
        weights: An array of the output's shape, or a list of one per output.
        jit_compile: Whether XLA compiles the step; JAX has it compiled in any case.

    Returns:
        An array per trainable variable, by path. The variables keep their values.
    """
    before = {variable.path: np.array(ops.convert_to_numpy(variable)) for variable in model.trainable_variables}
    losses = [weighted_mean] * len(weights) if isinstance(weights, list) else weighted_mean
    # Without tracing a single step is faster, but JAX would compile every operation of it on its own.
    run_eagerly = not jit_compile and keras.backend.backend() != "jax"
    model.compile(keras.optimizers.SGD(_RATE), losses, jit_compile=not run_eagerly, run_eagerly=run_eagerly)
    model.train_on_batch(inputs, weights)
    gradients = {}
    for variable in model.trainable_variables:
        gradients[variable.path] = (before[variable.path] - ops.convert_to_numpy(variable)) / _RATE
        variable.assign(before[variable.path])
    return gradients


def weighted_mean(weights: Any, outputs: Any) -> Any:
    """A loss whose gradient by the outputs is `weights`, up to a factor."""
    return ops.mean(weights * outputs)
