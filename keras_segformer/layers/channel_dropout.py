"""Channel dropout (Tompson et al., arXiv 1411.4280): the dropout of the decoder."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops import drop_maps
from keras_segformer.serialization import register


@register
class ChannelDropout(keras.layers.SpatialDropout2D):
    """`x * m / (1 - rate)`, where `m` is 0 with probability `rate`, drawn for every channel of every sample.

    torch's `Dropout2d`: the numbers of `keras.layers.SpatialDropout2D`, in less time. Outside of training it is the
    identity.

    Args:
        rate: Probability, in [0, 1), that a channel of a sample is dropped in training.
        **kwargs: Further arguments of `keras.layers.SpatialDropout2D` (`seed`, `name`, `dtype`).

    Returns (of a call):
        A tensor of the input's shape `(B, H, W, C)`.

    Example:

    >>> maps = keras.ops.ones((2, 4, 4, 8))
    >>> bool(keras.ops.all(ChannelDropout(0.5)(maps, training=False) == maps))
    True
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, data_format="channels_last", **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not training or not self.rate:
            return inputs
        return drop_maps(inputs, self.rate, self.seed_generator, per_channel=True)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config
