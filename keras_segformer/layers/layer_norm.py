"""Layer normalisation over the channels."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops import layer_norm
from keras_segformer.serialization import register


@register
class LayerNorm(keras.layers.Layer):
    """`(x - mean(x)) / sqrt(var(x) + epsilon) * gamma + beta`, mean and variance over the last axis.

    The same function as `keras.layers.LayerNormalization(axis=-1)`, but its TF Lite graph has no NEG, for which there
    is no int8 or int16 kernel, and which GPU delegates refuse. Under a half-precision policy it computes in float32.

    Args:
        epsilon: Added to the variance.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Returns (of a call):
        A tensor of the input's shape `(..., C)`.

    Example:

    >>> x = keras.random.normal((1, 4, 4, 32))
    >>> LayerNorm(epsilon=1e-6)(x).shape
    TensorShape([1, 4, 4, 32])
    """

    def __init__(self, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=channels, initializer="ones", autocast=False)
        self.beta = self.add_weight(name="beta", shape=channels, initializer="zeros", autocast=False)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return layer_norm(inputs, self.gamma, self.beta, self.epsilon, training)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"epsilon": self.epsilon}
