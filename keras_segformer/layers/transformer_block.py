"""Transformer block: efficient self-attention and Mix-FFN, each behind a norm (paper figure 2)."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.layers.efficient_self_attention import EfficientSelfAttention
from keras_segformer.layers.layer_norm import LayerNorm
from keras_segformer.layers.mix_ffn import MixFFN
from keras_segformer.layers.stochastic_depth import StochasticDepth
from keras_segformer.serialization import register


@register
class TransformerBlock(keras.layers.Layer):
    """`x ← x + attention(norm1(x))`, then `x ← x + ffn(norm2(x))`.

    In training, stochastic depth drops either branch for some of the samples.

    Args:
        dim: Channels `C`.
        num_heads: Attention heads.
        sr_ratio: Side of the spatial reduction of keys and values.
        mlp_ratio: Expansion of Mix-FFN.
        drop_path_rate: Rate of stochastic depth, for both branches.
        epsilon: Epsilon of the two norms.
        reduction_epsilon: Epsilon of the norm inside the attention.
        convolution: Whether Mix-FFN has its 3x3 convolution.
        activation: The nonlinearity of Mix-FFN: `"gelu"`, `"hard_swish"` or `"relu"`.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        A tensor of the input's shape `(B, H, W, C)`.

    Example:

    >>> TransformerBlock(dim=32, num_heads=1, sr_ratio=8)(keras.ops.ones((1, 8, 16, 32))).shape
    TensorShape([1, 8, 16, 32])
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        sr_ratio: int,
        mlp_ratio: int = 4,
        drop_path_rate: float = 0.0,
        epsilon: float = 1e-6,
        reduction_epsilon: float = 1e-5,
        convolution: bool = True,
        activation: str = "gelu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mlp_ratio = mlp_ratio
        policy = self.dtype_policy
        self.norm1 = LayerNorm(epsilon, dtype=policy, name="norm1")
        self.attention = EfficientSelfAttention(
            dim, num_heads, sr_ratio, reduction_epsilon, dtype=policy, name="attention"
        )
        self.norm2 = LayerNorm(epsilon, dtype=policy, name="norm2")
        self.ffn = MixFFN(dim, dim * mlp_ratio, convolution, activation, dtype=policy, name="ffn")
        self.drop_path = StochasticDepth(drop_path_rate, dtype=policy, name="drop_path")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        for layer in (self.norm1, self.attention, self.norm2, self.ffn):
            layer.build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        branch = self.attention(self.norm1(inputs, training=training), training=training)
        x = inputs + self.drop_path(branch, training=training)
        branch = self.ffn(self.norm2(x, training=training), training=training)
        return x + self.drop_path(branch, training=training)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "dim": self.attention.dim,
            "num_heads": self.attention.num_heads,
            "sr_ratio": self.attention.sr_ratio,
            "mlp_ratio": self.mlp_ratio,
            "drop_path_rate": self.drop_path.rate,
            "epsilon": self.norm1.epsilon,
            "reduction_epsilon": self.attention.epsilon,
            "convolution": self.ffn.convolution,
            "activation": self.ffn.activation,
        }
