"""The gradient of any function by its inputs, outside of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras


def pull_back(
    function: Callable[[list[Any]], list[Any]], inputs: Sequence[Any]
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    """Evaluates a function of tensors, and prepares vector-Jacobian products.

    Args:
        function: From a list of tensors to a list of tensors.
        inputs: Where it is evaluated.

    Returns:
        Its outputs, and a function from one gradient for every output to the gradients of the inputs, which may be
        called several times. What it needs of the evaluation stays in memory as long as it exists.

    Raises:
        ValueError: The backend is neither TensorFlow nor JAX.

    Example:

    >>> outputs, pull = pull_back(lambda inputs: [inputs[0] ** 2], [keras.ops.array([3.0])])
    >>> [float(gradient[0]) for gradient in pull([keras.ops.array([1.0])])]
    [6.0]
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _with_tape(function, list(inputs))
    if backend == "jax":
        import jax

        outputs, pull = jax.vjp(function, list(inputs))
        return outputs, lambda gradients: pull(list(gradients))[0]
    raise ValueError(f"Gradients by the input need the backend tensorflow or jax; got KERAS_BACKEND={backend}.")


def _with_tape(
    function: Callable[[list[Any]], list[Any]], inputs: list[Any]
) -> tuple[list[Any], Callable[[Sequence[Any]], list[Any]]]:
    import tensorflow as tf

    inputs = [tf.identity(each) for each in inputs]  # the tape would take one tensor in two places for one input
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        outputs = function(inputs)

    def pull(gradients: Sequence[Any]) -> list[Any]:
        zero = tf.UnconnectedGradients.ZERO
        return tape.gradient(outputs, inputs, output_gradients=list(gradients), unconnected_gradients=zero)

    return outputs, pull
