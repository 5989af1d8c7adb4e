"""Stochastic depth (Huang et al., arXiv 1603.09382): whole residual branches are dropped per sample."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops import drop_maps
from keras_segformer.serialization import register


@register
class StochasticDepth(keras.layers.Dropout):
    """`x * m / (1 - rate)`, where `m` is 0 with probability `rate`, drawn once for every sample.

    Outside of training it is the identity.

    Args:
        rate: Probability, in [0, 1), that a sample's branch is dropped in training.
        **kwargs: Further arguments of `keras.layers.Dropout` (`seed`, `name`, `dtype`).

    Returns (of a call):
        A tensor of the input's shape `(B, H, W, C)`.

    Example:

    >>> branch = keras.ops.ones((2, 4, 4, 8))
    >>> bool(keras.ops.all(StochasticDepth(0.5)(branch, training=False) == branch))
    True
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, noise_shape=(None, 1, 1, 1), **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or not self.rate:
            return inputs
        return drop_maps(inputs, self.rate, self.seed_generator, per_channel=False)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["noise_shape"]
        return config
