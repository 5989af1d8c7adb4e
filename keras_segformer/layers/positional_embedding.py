"""Learned positional embedding: what Mix-FFN's convolution makes unnecessary (paper table 1c)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers import initializers
from keras_segformer.ops import resize_bilinear, spatial_shape
from keras_segformer.serialization import register


@register
class PositionalEmbedding(keras.layers.Layer):
    """`x + resize(e)`: adds a learned vector per token, interpolated bilinearly where the map has another size.

    Args:
        grid: `(height, width)` in tokens of the learned vectors `e`.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        A tensor of the input's shape `(B, H, W, C)`.

    Example:

    >>> PositionalEmbedding(grid=(16, 16))(keras.ops.ones((1, 20, 12, 8))).shape
    TensorShape([1, 20, 12, 8])
    """

    def __init__(self, grid: tuple[int, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.grid = tuple(grid)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.embedding = self.add_weight(
            name="embedding",
            shape=(1, *self.grid, input_shape[-1]),
            initializer=initializers.linear_kernel(),
        )

    def call(self, inputs: Any) -> Any:
        return inputs + resize_bilinear(ops.convert_to_tensor(self.embedding), spatial_shape(inputs))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"grid": self.grid}
