"""Resizing to the size of another map."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops import resize_bilinear, spatial_shape
from keras_segformer.serialization import register


@register
class ResizeLike(keras.layers.Layer):
    """Resizes its first input bilinearly to the height and width of its second.

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
        return resize_bilinear(x, spatial_shape(reference), training)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        x, reference = input_shape
        return (x[0], *reference[1:3], x[3])
