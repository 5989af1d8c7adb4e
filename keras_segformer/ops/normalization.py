"""Layer norm, and batch norm in training."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops._dispatch import uses_written_gradients


def layer_norm(x: Any, gamma: Any, beta: Any, epsilon: float, training: bool | None = None) -> Any:
    """Computes `(x - mean(x)) / sqrt(var(x) + epsilon) * gamma + beta` over the last axis.

    It is computed in at least float32, since squares of activations above 256 overflow float16.

    Args:
        x: `(..., C)`; `(B, H, W, C)` in training.
        gamma: `(C,)`.
        beta: `(C,)`.
        epsilon: Added to the variance.
        training: Whether gradients will be taken.

    Returns:
        A tensor of the shape of `x`, and of its dtype if that is floating-point.

    Source: Ba et al., arXiv 1607.06450.

    Example:

    >>> layer_norm(keras.ops.ones((1, 4, 6, 3)), keras.ops.ones(3), keras.ops.zeros(3), 1e-6).shape
    TensorShape([1, 4, 6, 3])
    """
    if uses_written_gradients(x, training):
        from keras_segformer.ops import _tensorflow_gradients

        return _tensorflow_gradients.layer_norm(x, gamma, beta, epsilon)
    ops, dtype = keras.ops, keras.backend.result_type(keras.backend.standardize_dtype(x.dtype), float)
    x = ops.cast(x, keras.backend.result_type(dtype, "float32"))
    deviation = x - ops.mean(x, axis=-1, keepdims=True)
    variance = ops.mean(deviation * deviation, axis=-1, keepdims=True)
    # Keras' own layer negates the mean: NEG has no int8 or int16 kernel in TF Lite, and GPU delegates refuse it.
    normalized = deviation * ops.rsqrt(variance + epsilon) * ops.cast(gamma, x.dtype) + ops.cast(beta, x.dtype)
    return ops.cast(normalized, dtype)


def batch_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Normalises every channel by its mean and variance over the batch, computed in at least float32.

    TensorFlow has one operation for what is otherwise many passes over the map, and as many for the gradient.

    Args:
        x: `(B, H, W, C)`.
        gamma: `(C,)`.
        beta: `(C,)`.
        epsilon: Added to the variance.

    Returns:
        The normalised map, of the shape and dtype of `x`; the means `(C,)`; the biased variances `(C,)`.

    Source: Ioffe and Szegedy, arXiv 1502.03167.

    Example:

    >>> _, mean, variance = batch_norm(keras.ops.ones((1, 4, 6, 3)), keras.ops.ones(3), keras.ops.zeros(3), 1e-5)
    >>> float(mean[0]), float(variance[0])
    (1.0, 0.0)
    """
    ops, dtype = keras.ops, x.dtype
    x = ops.cast(x, keras.backend.result_type(dtype, "float32"))
    gamma, beta = ops.cast(gamma, x.dtype), ops.cast(beta, x.dtype)
    if uses_written_gradients(x, training=True):
        from keras_segformer.ops import _tensorflow_gradients

        normalized, mean, variance = _tensorflow_gradients.batch_norm(x, gamma, beta, epsilon)
    else:
        mean, variance = ops.moments(x, axes=(0, 1, 2))
        normalized = ops.batch_normalization(x, mean, variance, -1, offset=beta, scale=gamma, epsilon=epsilon)
    return ops.cast(normalized, dtype), mean, variance
