"""The cross-entropy of segmentation."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops._dispatch import has_only_a_cpu


def cross_entropy(labels: Any, logits: Any) -> Any:
    """Computes the cross-entropy of every pixel: `-log softmax(logits)[label]`, or of the sigmoid for a single logit.

    Args:
        labels: `(B, H, W)`, int32.
        logits: `(B, H, W, C)`, float32; a single channel is the logit of the foreground.

    Returns:
        `(B, H, W)`, float32.

    Raises:
        tensorflow.errors.InvalidArgumentError: A label is not a class. Only TensorFlow without an accelerator checks.

    Example:

    >>> labels, logits = keras.ops.zeros((1, 4, 6), "int32"), keras.ops.zeros((1, 4, 6, 2))
    >>> round(float(keras.ops.mean(cross_entropy(labels, logits))), 3)
    0.693
    """
    if logits.shape[-1] == 1:
        return keras.ops.binary_crossentropy(keras.ops.cast(labels, "float32"), logits[..., 0], from_logits=True)
    if has_only_a_cpu():
        from keras_segformer.ops import _tensorflow_gradients

        return _tensorflow_gradients.cross_entropy(labels, logits)
    return keras.ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
