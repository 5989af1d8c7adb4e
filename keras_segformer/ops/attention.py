"""Scaled dot-product attention, without the scaling and the heads' bookkeeping."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops._dispatch import uses_written_gradients


def attend(query: Any, key: Any, value: Any, training: bool | None = None) -> Any:
    """Computes `softmax(query key) value` per head; the softmax in at least single precision.

    Args:
        query: `(B, heads, N, d)`. Either this or `key` is scaled by `1 / sqrt(d)`.
        key: `(B, heads, d, M)`, transposed.
        value: `(B, heads, M, d)`.
        training: Whether gradients will be taken.

    Returns:
        `(B, heads, N, d)`.

    Source: the paper, equation 1.

    Example:

    >>> ones = keras.ops.ones
    >>> attend(ones((1, 2, 6, 4)), ones((1, 2, 4, 3)), ones((1, 2, 3, 4))).shape
    TensorShape([1, 2, 6, 4])
    """
    has_single_key = key.shape[-1] == 1
    if uses_written_gradients(query, training) and not has_single_key:
        from keras_segformer.ops import _tensorflow_gradients

        return _tensorflow_gradients.attend(query, key, value)
    scores = keras.ops.matmul(query, key)  # (B, heads, N, M)
    # Images below 64 pixels leave a single key, whose weight is 1; Keras warns about the softmax of a single number.
    # The product keeps the gradients, which are 0: Keras warns about missing ones as well.
    weights = 0 * scores + 1 if has_single_key else _softmax(scores)
    return keras.ops.matmul(weights, value)  # (B, heads, N, d)


def _softmax(scores: Any) -> Any:
    """The softmax over the last axis, in the dtype of the scores but computed in at least float32."""
    precise = keras.ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    return keras.ops.cast(keras.ops.softmax(precise, axis=-1), scores.dtype)
