"""Bilinear resize with half-pixel centres: torch's `interpolate(mode="bilinear", align_corners=False)`."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers.serialization import register
from keras_segformer.layers.training_backend import trains_on_tensorflow


def spatial_shape(x: Any) -> tuple[Any, Any]:
    """Height and width of `(B, H, W, C)`: integers where known, scalar tensors inside a graph where not."""
    return tuple(ops.shape(x)[1:3])


def resize_bilinear(x: Any, size: tuple[Any, Any], trains: bool = False) -> Any:
    """Resize feature maps.

    Args:
        x: Tensor `(B, H, W, C)` of floats.
        size: Target `(height, width)` in pixels, integers or scalar tensors.
        trains: Whether this is for `keras_segformer.layers.tensorflow_training`, which has a faster gradient.

    Returns:
        A tensor `(B, *size, C)` of the same dtype; `x` itself where its size is known to be the target.

    Example:

    >>> resize_bilinear(keras.ops.ones((1, 2, 2, 3)), (5, 7)).shape
    TensorShape([1, 5, 7, 3])
    """
    known = all(isinstance(length, int) for length in size)
    if known and tuple(x.shape[1:3]) == tuple(size):
        return x
    if _is_compiled_by_tensorflow_xla():
        return _interpolate(_interpolate(x, 1, size[0]), 2, size[1])
    if known and trains:
        from keras_segformer.layers import tensorflow_training

        return tensorflow_training.resize_bilinear(x, size)
    if known:
        return ops.image.resize(x, size, interpolation="bilinear", antialias=False, data_format="channels_last")
    # Sizes unknown while tracing exist on TensorFlow alone, and Keras' resize compares them with integers.
    import tensorflow as tf

    return tf.cast(tf.image.resize(x, tf.stack(size), method="bilinear"), x.dtype)


def _is_compiled_by_tensorflow_xla() -> bool:
    """Whether TensorFlow traces this call for XLA.

    Its resize is wrong there unless sizes grow by an even factor (seen with 2.16 and 2.21; tensorflow issue 118344),
    and Keras compiles with XLA by default where there is a GPU.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def _interpolate(x: Any, axis: int, length: Any) -> Any:
    """The resize of one axis as a product with the matrix of interpolation weights."""
    source = ops.shape(x)[axis]
    last = ops.cast(source - 1, "float32")
    position = (ops.cast(ops.arange(length), "float32") + 0.5) * (last + 1) / ops.cast(length, "float32") - 0.5
    position = ops.clip(position, 0, last)
    distance = ops.expand_dims(position, 1) - ops.cast(ops.arange(source), "float32")  # (length, source)
    weights = ops.cast(ops.relu(1 - ops.abs(distance)), x.dtype)
    return ops.moveaxis(ops.tensordot(weights, x, axes=(1, axis)), 0, axis)


@register
class ResizeLike(keras.layers.Layer):
    """Resizes its first input to the height and width of its second.

    Args:
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        For `[(B, h, w, C), (B, H, W, any)]`, a tensor `(B, H, W, C)`.

    Example:

    >>> logits, images = keras.ops.ones((1, 8, 8, 5)), keras.ops.ones((1, 30, 32, 3))
    >>> ResizeLike()([logits, images]).shape
    TensorShape([1, 30, 32, 5])
    """

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        x, reference = inputs
        return resize_bilinear(x, spatial_shape(reference), trains_on_tensorflow(self, training))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        x, reference = input_shape
        return (x[0], *reference[1:3], x[3])
