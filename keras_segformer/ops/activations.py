"""The activations of Mix-FFN."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops._dispatch import uses_written_gradients


def activate(x: Any, name: str, training: bool | None = None) -> Any:
    """Applies an activation by its name.

    Args:
        x: `(B, H, W, C)`.
        name: `"gelu"`, the exact one; `"hard_swish"`, `x relu6(x + 3) / 6`; `"relu"`.
        training: Whether gradients will be taken.

    Returns:
        A tensor of the shape and dtype of `x`.

    Source: hard swish is of Howard et al., MobileNetV3, arXiv 1905.02244.

    Example:

    >>> float(activate(3 * keras.ops.ones((1, 4, 6, 3)), "hard_swish")[0, 0, 0, 0])
    3.0
    """
    if name == "gelu":
        return gelu(x, training)
    return keras.ops.relu(x) if name == "relu" else keras.ops.hard_silu(x)


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
