"""Channel dropout (Tompson et al., arXiv 1411.4280): the dropout of the decoder."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.layers.dropout_mask import scale_by_dropout
from keras_segformer.layers.serialization import register


@register
class ChannelDropout(keras.layers.SpatialDropout2D):
    """Sets channels of a sample to zero with probability `rate`, and scales the others by 1/(1-rate).

    torch's `Dropout2d`: the numbers of `keras.layers.SpatialDropout2D`, in less time.

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
        return scale_by_dropout(inputs, self, per_channel=True)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config
