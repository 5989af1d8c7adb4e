"""The activation of Mix-FFN."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops._dispatch import uses_written_gradients


def gelu(x: Any, training: bool | None = None) -> Any:
    """Computes the exact GELU, `x P(X <= x)` for a standard normal `X`.

    Args:
        x: `(B, H, W, C)`.
        training: Whether gradients will be taken.

    Returns:
        A tensor of the shape and dtype of `x`.

    Source: Hendrycks and Gimpel, arXiv 1606.08415.

    Example:

    >>> float(gelu(keras.ops.zeros((1, 4, 6, 3)))[0, 0, 0, 0])
    0.0
    """
    if uses_written_gradients(x, training):
        from keras_segformer.ops import _tensorflow_gradients

        return _tensorflow_gradients.gelu(x)
    return keras.ops.gelu(x, approximate=False)
