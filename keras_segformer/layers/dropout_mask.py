"""Dropout of whole maps, as a product with a small mask."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def scale_by_dropout(inputs: Any, layer: keras.layers.Dropout, per_channel: bool) -> Any:
    """Set whole maps to zero with probability `layer.rate`, and scale the others by 1/(1-rate).

    Keras' dropout with a `noise_shape` draws the same numbers, but chooses between the map and zeros at every
    element: three passes over the map where the product takes one, and again for the gradient.

    Args:
        inputs: `(B, H, W, C)`.
        layer: Whose rate and seed are used.
        per_channel: Whether every channel of a sample has a draw of its own.

    Returns:
        A tensor of the input's shape.

    Example:

    >>> scale_by_dropout(keras.ops.ones((2, 4, 4, 8)), keras.layers.Dropout(0.5), per_channel=True).shape
    TensorShape([2, 4, 4, 8])
    """
    batch, *_, channels = ops.shape(inputs)
    ones = ops.ones((batch, 1, 1, channels if per_channel else 1), dtype=inputs.dtype)
    return inputs * keras.random.dropout(ones, layer.rate, seed=layer.seed_generator)
