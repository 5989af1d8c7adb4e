"""Dropout of whole maps, as a product with a small mask."""

from __future__ import annotations

from typing import Any

import keras


def drop_maps(x: Any, rate: float, seed: keras.random.SeedGenerator, per_channel: bool) -> Any:
    """Sets whole maps to zero with probability `rate`, and scales the others by `1 / (1 - rate)`.

    Keras' dropout with a `noise_shape` draws the same numbers, but selects between the map and zeros at every
    element: three passes over the map where the product takes one, and again for the gradient.

    Args:
        x: `(B, H, W, C)`.
        rate: Probability, in [0, 1).
        seed: Source of the random numbers.
        per_channel: True draws for every channel of a sample, False once for all channels of a sample.

    Returns:
        A tensor of the shape of `x`.

    Example:

    >>> drop_maps(keras.ops.ones((2, 4, 4, 8)), 0.5, keras.random.SeedGenerator(0), per_channel=True).shape
    TensorShape([2, 4, 4, 8])
    """
    batch, *_, channels = keras.ops.shape(x)
    ones = keras.ops.ones((batch, 1, 1, channels if per_channel else 1), dtype=x.dtype)
    return x * keras.random.dropout(ones, rate, seed=seed)
