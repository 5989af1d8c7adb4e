"""Mix-FFN (paper section 3.1, equation 3)."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.layers import initializers
from keras_segformer.layers.linear import LinearMap
from keras_segformer.ops import activate
from keras_segformer.serialization import register


@register
class MixFFN(keras.layers.Layer):
    """`MLP(GELU(Conv3x3(MLP(x))))`: a feed-forward network that learns positions from zero padding.

    Both `MLP` are linear maps, the convolution is depthwise with a bias, and GELU is the exact one (erf) unless another
    activation takes its place.

    Args:
        dim: Channels `C`.
        hidden_dim: Channels between the two linear maps, `C` times the expansion ratio.
        convolution: False omits the 3x3 convolution, for use with a positional embedding.
        activation: `"gelu"`, `"hard_swish"` or `"relu"`.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        A tensor of the input's shape `(B, H, W, C)`.

    Example:

    >>> MixFFN(dim=32, hidden_dim=128)(keras.ops.ones((1, 9, 16, 32))).shape
    TensorShape([1, 9, 16, 32])
    """

    def __init__(
        self, dim: int, hidden_dim: int, convolution: bool = True, activation: str = "gelu", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.hidden_dim = hidden_dim
        self.convolution = convolution
        self.activation = activation
        policy = self.dtype_policy
        self.expand = LinearMap(hidden_dim, dtype=policy, name="expand")
        if convolution:
            self.depthwise = keras.layers.DepthwiseConv2D(
                3,
                padding="same",
                data_format="channels_last",
                depthwise_initializer=initializers.convolution_kernel(),
                dtype=policy,
                name="depthwise",
            )
        self.contract = LinearMap(dim, dtype=policy, name="contract")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        hidden_shape = (*input_shape[:-1], self.hidden_dim)
        self.expand.build(input_shape)
        if self.convolution:
            self.depthwise.build(hidden_shape)
        self.contract.build(hidden_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.expand(inputs, training=training)  # (B, H, W, hidden_dim)
        if self.convolution:
            x = self.depthwise(x)
        return self.contract(activate(x, self.activation, training), training=training)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "dim": self.dim,
            "hidden_dim": self.hidden_dim,
            "convolution": self.convolution,
            "activation": self.activation,
        }
