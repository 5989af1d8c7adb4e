"""Bilinear resize of tensors.

`keras_segformer.predict.interpolation` resizes NumPy arrays by the same formula, a run of rows at a time.
"""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops._dispatch import uses_written_gradients
from keras_segformer.ops._xla_tracing import is_traced_for_xla


def spatial_shape(x: Any) -> tuple[Any, Any]:
    """Returns height and width of `(B, H, W, ...)`: integers where known, scalar tensors inside a graph where not.

    Example:

    >>> spatial_shape(keras.ops.ones((1, 4, 6, 3)))
    (4, 6)
    """
    return tuple(keras.ops.shape(x)[1:3])


def resize_bilinear(x: Any, size: tuple[Any, Any], training: bool | None = None) -> Any:
    """Resizes feature maps with half-pixel centres and no antialiasing.

    This is torch's `interpolate(mode="bilinear", align_corners=False)`.

    Args:
        x: `(B, H, W, C)`, floating-point.
        size: Target `(height, width)` in pixels, integers or scalar tensors.
        training: Whether gradients will be taken.

    Returns:
        `(B, *size, C)` of the same dtype; `x` itself where its size is known to be the target.

    Example:

    >>> resize_bilinear(keras.ops.ones((1, 2, 2, 3)), (5, 7)).shape
    TensorShape([1, 5, 7, 3])
    """
    is_known = all(isinstance(length, int) for length in size)
    if is_known and tuple(x.shape[1:3]) == tuple(size):
        return x
    # TensorFlow's resize is wrong under XLA unless sizes grow by an even factor (seen with 2.16 and 2.21; tensorflow
    # issue 118344), and Keras compiles with XLA by default where there is a GPU.
    if is_traced_for_xla():
        return _interpolate(_interpolate(x, 1, size[0]), 2, size[1])
    if is_known and uses_written_gradients(x, training):
        from keras_segformer.ops import _tensorflow_gradients

        return _tensorflow_gradients.resize_bilinear(x, size)
    if is_known:
        return keras.ops.image.resize(x, size, interpolation="bilinear", antialias=False, data_format="channels_last")
    # Sizes unknown while tracing exist on TensorFlow alone, and Keras' resize compares them with integers.
    import tensorflow as tf

    return tf.cast(tf.image.resize(x, tf.stack(size), method="bilinear"), x.dtype)


def _interpolate(x: Any, axis: int, length: Any) -> Any:
    """Resizes one axis by multiplying with the matrix of interpolation weights."""
    ops = keras.ops
    source = ops.shape(x)[axis]
    last = ops.cast(source - 1, "float32")
    position = (ops.cast(ops.arange(length), "float32") + 0.5) * (last + 1) / ops.cast(length, "float32") - 0.5
    position = ops.clip(position, 0, last)
    distance = ops.expand_dims(position, 1) - ops.cast(ops.arange(source), "float32")  # (length, source)
    weights = ops.cast(ops.relu(1 - ops.abs(distance)), x.dtype)
    return ops.moveaxis(ops.tensordot(weights, x, axes=(1, axis)), 0, axis)
