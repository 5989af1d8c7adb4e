"""Token-wise linear map."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.layers import initializers
from keras_segformer.layers.serialization import register
from keras_segformer.layers.training_backend import trains_on_tensorflow


@register
class LinearMap(keras.layers.Conv2D):
    """A linear map of the channels, the same at every token: a 1x1 convolution.

    The feature maps of the network stay `(B, H, W, C)` throughout. As a convolution of rank four the map
    reaches the fast kernels of every TF Lite delegate; as a `Dense` over `(B, N, C)` it does not.

    Args:
        units: Output channels.
        kernel_initializer: Defaults to the encoder's normal distribution of standard deviation 0.02.
        **kwargs: Further arguments of `keras.layers.Conv2D`.

    Example:

    >>> LinearMap(8)(keras.ops.ones((1, 4, 6, 3))).shape
    TensorShape([1, 4, 6, 8])
    """

    def __init__(self, units: int, kernel_initializer: Any = None, **kwargs: Any) -> None:
        kernel_initializer = kernel_initializer or initializers.linear_kernel()
        super().__init__(
            units, kernel_size=1, kernel_initializer=kernel_initializer, data_format="channels_last", **kwargs
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        is_plain = self.use_bias and self.activation is keras.activations.linear
        if not (is_plain and trains_on_tensorflow(self, training)):
            return super().call(inputs)
        from keras_segformer.layers.tensorflow_training import linear_map

        return linear_map(inputs, self.kernel, self.bias)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("kernel_size", "data_format"):
            del config[name]
        return config | {"units": config.pop("filters")}
