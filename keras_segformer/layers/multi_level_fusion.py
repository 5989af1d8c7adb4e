"""Fusion of the stage features: steps one to three of the MLP decoder (paper section 3.2, equation 4)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers import initializers
from keras_segformer.ops import add_maps, resize_bilinear, spatial_shape
from keras_segformer.serialization import register


@register
class MultiLevelFusion(keras.layers.Layer):
    """`F concat_i up(L_i x_i + b_i)`, computed as `sum_i up((F_i L_i) x_i + F_i b_i)`.

    The paper maps every stage to `C` channels (`L_i`, `b_i`), resizes the maps to the finest one (`up`), concatenates
    them, coarsest first, and maps the result to `C` channels (`F`, without bias). A bilinear resize acts on every
    channel separately and its weights sum to one, so it commutes with linear maps of the channels. Hence the two
    matrices can be multiplied first: parameters and result are the paper's, in training as well, at about half of the
    decoder's arithmetic and without the concatenation.

    Args:
        width: Channels `C`.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        For a list of maps `(B, H_i, W_i, C_i)`, finest first, a tensor `(B, H_1, W_1, width)`.

    Example:

    >>> maps = [keras.ops.ones((1, 16 // 2**i, 24 // 2**i, 8 * (i + 1))) for i in range(4)]
    >>> MultiLevelFusion(width=32)(maps).shape
    TensorShape([1, 16, 24, 32])
    """

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        self.linear_kernels = []
        self.linear_biases = []
        for index, shape in enumerate(input_shape):
            channels = shape[-1]
            self.linear_kernels.append(
                self.add_weight(
                    name=f"linear{index}_kernel",
                    shape=(channels, self.width),
                    initializer=initializers.torch_default_kernel(),
                )
            )
            self.linear_biases.append(
                self.add_weight(
                    name=f"linear{index}_bias",
                    shape=(self.width,),
                    initializer=initializers.torch_default_bias(channels),
                )
            )
        self.fuse_kernel = self.add_weight(
            name="fuse_kernel",
            shape=(len(input_shape) * self.width, self.width),
            initializer=initializers.convolution_kernel(),
        )

    def call(self, inputs: list[Any], training: bool | None = None) -> Any:
        size = spatial_shape(inputs[0])
        fuse_kernels = ops.split(ops.convert_to_tensor(self.fuse_kernel), len(inputs), axis=0)[::-1]  # finest first
        bias = sum(
            ops.matmul(ops.expand_dims(bias, 0), fuse)
            for bias, fuse in zip(self.linear_biases, fuse_kernels, strict=True)
        )  # (1, C)
        maps = []
        for x, linear, fuse in zip(inputs, self.linear_kernels, fuse_kernels, strict=True):
            kernel = ops.reshape(ops.matmul(linear, fuse), (1, 1, x.shape[-1], self.width))  # (1, 1, C_i, C)
            maps.append(ops.conv(x, kernel, data_format="channels_last"))  # (B, H_i, W_i, C)
        # A resize leaves constants as they are, so the bias of all maps is added to the smallest one.
        maps[-1] = maps[-1] + bias
        return add_maps([resize_bilinear(x, size, training) for x in maps], training)

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return (*input_shape[0][:3], self.width)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"width": self.width}
