"""Stochastic depth (Huang et al., arXiv 1603.09382): whole residual branches are dropped per sample."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.layers.dropout_mask import scale_by_dropout
from keras_segformer.layers.serialization import register


@register
class StochasticDepth(keras.layers.Dropout):
    """Sets the whole branch of a sample to zero with probability `rate`, and scales the others by 1/(1-rate).

    It is dropout with one draw per sample.

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
        return scale_by_dropout(inputs, self, per_channel=False)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["noise_shape"]
        return config
