"""Overlapped patch embedding (paper section 3.1, "Overlapped Patch Merging")."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers import initializers
from keras_segformer.layers.layer_norm import LayerNorm
from keras_segformer.layers.shapes import convolved_size
from keras_segformer.serialization import register


@register
class OverlappedPatchEmbedding(keras.layers.Layer):
    """`norm(Conv(pad(x)))`: a strided convolution with overlapping windows (`OverlapPatchEmbed` of the original).

    The zero padding is explicit, `patch_size // 2` at every border. TensorFlow's "same" padding of a strided
    convolution depends on the size and would shift the windows.

    Args:
        dim: Output channels.
        patch_size: Kernel `K` in pixels.
        stride: Stride `S` in pixels.
        epsilon: Epsilon of the norm.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        For `(B, H, W, C)`, a tensor `(B, ceil(H / stride), ceil(W / stride), dim)` with odd patch sizes.

    Example:

    >>> OverlappedPatchEmbedding(dim=32, patch_size=7, stride=4)(keras.ops.ones((1, 65, 96, 3))).shape
    TensorShape([1, 17, 24, 32])
    """

    def __init__(self, dim: int, patch_size: int, stride: int, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.patch_size = patch_size
        self.stride = stride
        self.epsilon = epsilon
        self.projection = keras.layers.Conv2D(
            dim,
            patch_size,
            strides=stride,
            padding="valid",
            data_format="channels_last",
            kernel_initializer=initializers.convolution_kernel(),
            dtype=self.dtype_policy,
            name="projection",
        )
        self.norm = LayerNorm(epsilon, dtype=self.dtype_policy, name="norm")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.projection.build(input_shape)
        self.norm.build(self.compute_output_shape(input_shape))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        border = (self.patch_size // 2, self.patch_size // 2)
        x = ops.pad(inputs, ((0, 0), border, border, (0, 0)))
        return self.norm(self.projection(x), training=training)  # (B, H / stride, W / stride, dim)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *size, _ = input_shape
        size = [convolved_size(length, self.patch_size, self.stride, self.patch_size // 2) for length in size]
        return (batch, *size, self.dim)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "dim": self.dim,
            "patch_size": self.patch_size,
            "stride": self.stride,
            "epsilon": self.epsilon,
        }
