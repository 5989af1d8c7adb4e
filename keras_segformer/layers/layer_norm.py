"""Layer normalisation over the channels, written so that it exports cleanly."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers.serialization import register
from keras_segformer.layers.training_backend import trains_on_tensorflow


@register
class LayerNorm(keras.layers.Layer):
    """`(x - mean(x)) / sqrt(var(x) + epsilon) * gamma + beta`, mean and variance over the last axis.

    The same function as `keras.layers.LayerNormalization(axis=-1)`, spelt without the negation that that
    layer leaves in a TF Lite graph: NEG has no int8 or int16 kernel and is refused by GPU delegates. Under a
    half-precision policy it computes in float32, because the squares of activations above 256 overflow
    float16.

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
        if trains_on_tensorflow(self, training):
            from keras_segformer.layers.tensorflow_training import normalize

            return normalize(inputs, self.gamma, self.beta, self.epsilon)
        x = ops.cast(inputs, keras.backend.result_type(self.compute_dtype, "float32"))
        deviation = x - ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(deviation * deviation, axis=-1, keepdims=True)
        gamma, beta = ops.cast(self.gamma, x.dtype), ops.cast(self.beta, x.dtype)
        normalized = deviation * ops.rsqrt(variance + self.epsilon) * gamma + beta
        return ops.cast(normalized, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"epsilon": self.epsilon}
