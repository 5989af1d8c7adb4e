"""Linear map of the channels."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.layers import initializers
from keras_segformer.ops import linear_map
from keras_segformer.serialization import register


@register
class LinearMap(keras.layers.Conv2D):
    """`x W + b` at every position: a linear map of the channels, as a 1x1 convolution.

    The feature maps of the network stay `(B, H, W, C)` throughout. As a convolution on rank four the map reaches the
    fast kernels of every TF Lite delegate; as a `Dense` layer on `(B, N, C)` it does not.

    Args:
        units: Output channels.
        kernel_initializer: By default the encoder's normal distribution of standard deviation 0.02.
        **kwargs: Further arguments of `keras.layers.Conv2D`, such as `use_bias` and `activation`.

    Returns (of a call):
        For `(B, H, W, C)`, a tensor `(B, H, W, units)`.

    Raises:
        ValueError: Strides or groups, which a linear map does not have.

    Example:

    >>> LinearMap(8)(keras.ops.ones((1, 4, 6, 3))).shape
    TensorShape([1, 4, 6, 8])
    """

    def __init__(self, units: int, kernel_initializer: Any = None, **kwargs: Any) -> None:
        kernel_initializer = kernel_initializer or initializers.linear_kernel()
        super().__init__(
            units, kernel_size=1, kernel_initializer=kernel_initializer, data_format="channels_last", **kwargs
        )
        if self.strides != (1, 1) or self.groups != 1:
            raise ValueError(
                f"A linear map has no strides or groups, got {self.strides} and {self.groups}; use "
                "`keras.layers.Conv2D`."
            )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.activation(linear_map(inputs, self.kernel, self.bias if self.use_bias else None, training))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("kernel_size", "data_format"):
            del config[name]
        return config | {"units": config.pop("filters")}
