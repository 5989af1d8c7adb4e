"""Efficient self-attention (paper section 3.1, equations 1 and 2)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers import initializers
from keras_segformer.layers.layer_norm import LayerNorm
from keras_segformer.layers.linear import LinearMap
from keras_segformer.ops import attend, spatial_shape
from keras_segformer.serialization import register


@register
class EfficientSelfAttention(keras.layers.Layer):
    """Multi-head attention whose keys and values come from a spatially reduced map.

    Per head, with `d = dim / num_heads`::

        r = norm(Conv(x)),   q = W_q x,   k = W_k r,   v = W_v r
        softmax(q k^T / sqrt(d)) v

    and a linear map of the concatenated heads. `Conv` is a `sr_ratio x sr_ratio` convolution of that stride; without a
    reduction (`sr_ratio` 1), `r = x`. The cost falls from `N²` to `N² / R` with the paper's `R = sr_ratio²`. The
    softmax is computed in float32.

    Args:
        dim: Channels `C`.
        num_heads: Heads; `d = dim / num_heads`.
        sr_ratio: Side of the spatial reduction; 1 attends to every token.
        epsilon: Epsilon of the norm behind the reduction.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        A tensor of the input's shape `(B, H, W, C)`; H and W are at least `sr_ratio`.

    Raises:
        ValueError: The map is smaller than the reduction.

    Example:

    >>> EfficientSelfAttention(dim=64, num_heads=2, sr_ratio=4)(keras.ops.ones((1, 9, 16, 64))).shape
    TensorShape([1, 9, 16, 64])
    """

    def __init__(self, dim: int, num_heads: int, sr_ratio: int, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.num_heads = num_heads
        self.sr_ratio = sr_ratio
        self.epsilon = epsilon
        policy = self.dtype_policy
        self.query = LinearMap(dim, dtype=policy, name="query")
        self.key = LinearMap(dim, dtype=policy, name="key")
        self.value = LinearMap(dim, dtype=policy, name="value")
        self.projection = LinearMap(dim, dtype=policy, name="projection")
        if sr_ratio > 1:
            self.reduction = keras.layers.Conv2D(
                dim,
                sr_ratio,
                strides=sr_ratio,
                padding="valid",
                data_format="channels_last",
                kernel_initializer=initializers.convolution_kernel(),
                dtype=policy,
                name="reduction",
            )
            self.reduction_norm = LayerNorm(epsilon, dtype=policy, name="reduction_norm")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # A reduced map has another size, but the weights depend on the channels alone.
        for layer in (self.query, self.key, self.value, self.projection):
            layer.build(input_shape)
        if self.sr_ratio > 1:
            self.reduction.build(input_shape)
            self.reduction_norm.build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        self._check_size(inputs.shape)
        height, width = spatial_shape(inputs)
        reduced = inputs
        if self.sr_ratio > 1:
            reduced = self.reduction_norm(self.reduction(inputs), training=training)  # (B, H / sr, W / sr, C)
        # The keys are scaled because there are fewer of them than queries.
        scale = (self.dim // self.num_heads) ** -0.5
        query = self._split_heads(self.query(inputs, training=training))  # (B, heads, N, d)
        key = self._split_heads(self.key(reduced, training=training) * scale, transposed=True)  # (B, heads, d, M)
        value = self._split_heads(self.value(reduced, training=training))  # (B, heads, M, d)
        x = ops.transpose(attend(query, key, value, training), (0, 2, 1, 3))  # (B, N, heads, d)
        x = ops.reshape(x, (-1, height, width, self.dim))  # (B, H, W, C)
        return self.projection(x, training=training)

    def _split_heads(self, x: Any, transposed: bool = False) -> Any:
        """From `(B, H, W, C)` to `(B, heads, N, d)`, or to `(B, heads, d, N)`."""
        height, width = spatial_shape(x)
        x = ops.reshape(x, (-1, height * width, self.num_heads, self.dim // self.num_heads))  # (B, N, heads, d)
        return ops.transpose(x, (0, 2, 3, 1) if transposed else (0, 2, 1, 3))

    def _check_size(self, shape: tuple[int | None, ...]) -> None:
        known = [length for length in shape[1:3] if length is not None]
        if known and min(known) < self.sr_ratio:
            raise ValueError(
                f"A feature map of {shape[1]}x{shape[2]} is smaller than its spatial reduction ratio {self.sr_ratio}; "
                "give the network images of at least 32x32 pixels."
            )

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "dim": self.dim,
            "num_heads": self.num_heads,
            "sr_ratio": self.sr_ratio,
            "epsilon": self.epsilon,
        }
