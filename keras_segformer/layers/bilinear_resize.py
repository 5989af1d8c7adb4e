"""Bilinear resize with half-pixel centres: torch's `interpolate(mode="bilinear", align_corners=False)`."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers.serialization import register


def spatial_shape(x: Any) -> tuple[Any, Any]:
    """Height and width of `(B, H, W, C)`: integers where known, scalar tensors inside a graph where not."""
    return tuple(ops.shape(x)[1:3])


def resize_bilinear(x: Any, size: tuple[Any, Any]) -> Any:
    """Resize feature maps.

    Args:
        x: Tensor `(B, H, W, C)` of floats.
        size: Target `(height, width)` in pixels, integers or scalar tensors.

    Returns:
        A tensor `(B, *size, C)` of the same dtype; `x` itself where its size is known to be the target.

    Example:

    >>> resize_bilinear(keras.ops.ones((1, 2, 2, 3)), (5, 7)).shape
    TensorShape([1, 5, 7, 3])
    """
    if tuple(x.shape[1:3]) == tuple(size):
        return x
    return ops.image.resize(x, size, interpolation="bilinear", antialias=False, data_format="channels_last")


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

    def call(self, inputs: list[Any]) -> Any:
        x, reference = inputs
        return resize_bilinear(x, spatial_shape(reference))

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        x, reference = input_shape
        return (x[0], *reference[1:3], x[3])
