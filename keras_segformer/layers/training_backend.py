"""When layers and losses train by functions of TensorFlow's with gradients of their own."""

from __future__ import annotations

import keras


def trains_on_tensorflow(layer: keras.layers.Layer, training: bool | None) -> bool:
    """Whether a call is one to take `keras_segformer.layers.tensorflow_training` for.

    That is a step of training on TensorFlow in single precision. Graphs for inference keep to plain operations, which
    every exporter knows, and XLA finds such forms by itself, so that JAX needs none.

    Args:
        layer: The layer that is called.
        training: The argument of its call.

    Example:

    >>> trains_on_tensorflow(keras.layers.Dense(1), training=False)
    False
    """
    on_tensorflow = keras.backend.backend() == "tensorflow"
    return bool(training) and on_tensorflow and layer.compute_dtype == "float32"


def has_only_a_cpu() -> bool:
    """Whether the backend is TensorFlow on a machine without accelerators.

    Example:

    >>> isinstance(has_only_a_cpu(), bool)
    True
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return {device.device_type for device in tf.config.list_logical_devices()} == {"CPU"}
