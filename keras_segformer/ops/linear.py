"""Linear operations on feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from keras_segformer.ops._dispatch import uses_written_gradients


def linear_map(x: Any, kernel: Any, bias: Any, training: bool | None = None) -> Any:
    """Computes `x W + b` at every position, as a 1x1 convolution.

    Args:
        x: `(B, H, W, C)`.
        kernel: `(1, 1, C, D)`.
        bias: `(D,)`, or `None`.
        training: Whether gradients will be taken.

    Returns:
        `(B, H, W, D)`.

    Example:

    >>> ones = keras.ops.ones
    >>> linear_map(ones((1, 4, 6, 3)), ones((1, 1, 3, 8)), ones(8)).shape
    TensorShape([1, 4, 6, 8])
    """
    if uses_written_gradients(x, training) and bias is not None:
        from keras_segformer.ops import _tensorflow_gradients

        return _tensorflow_gradients.linear_map(x, kernel, bias)
    mapped = keras.ops.conv(x, kernel, data_format="channels_last")
    return mapped if bias is None else mapped + keras.ops.reshape(bias, (1, 1, 1, -1))  # (1, 1, 1, D)


def add_maps(maps: Sequence[Any], training: bool | None = None) -> Any:
    """Adds feature maps of one shape.

    Args:
        maps: At least one map, `(B, H, W, C)` each.
        training: Whether gradients will be taken.

    Returns:
        `(B, H, W, C)`.

    Example:

    >>> float(add_maps([keras.ops.ones((1, 4, 6, 3))] * 4)[0, 0, 0, 0])
    4.0
    """
    if uses_written_gradients(maps[0], training):
        from keras_segformer.ops import _tensorflow_gradients

        return _tensorflow_gradients.add(maps)
    return sum(maps[1:], maps[0])
