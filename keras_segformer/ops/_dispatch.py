"""The conditions by which an operation picks its implementation."""

from __future__ import annotations

from typing import Any

import keras


def uses_written_gradients(x: Any, training: bool | None) -> bool:
    """Returns True if the hand-written gradients of `_tensorflow_gradients` apply.

    They apply to training on TensorFlow in single precision. Graphs for inference keep to plain operations, which every
    exporter knows; XLA derives equally fast gradients from those by itself, so JAX needs none.

    Args:
        x: The tensor that the operation is applied to.
        training: The argument of the layer's call.

    Example:

    >>> uses_written_gradients(keras.ops.ones(3), training=False)
    False
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return bool(training) and on_tensorflow and keras.backend.standardize_dtype(x.dtype) == "float32"


def has_only_a_cpu() -> bool:
    """Returns True if the backend is TensorFlow on a machine without accelerators.

    Example:

    >>> isinstance(has_only_a_cpu(), bool)
    True
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return {device.device_type for device in tf.config.list_logical_devices()} == {"CPU"}
