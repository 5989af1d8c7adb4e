"""From logits to labels, for binary models too.

A binary model has two labels but a single logit `z`, that of the foreground: its probability is `sigmoid(z)`, and it is
predicted where `z > 0`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def predicted_labels(logits: Any) -> Any:
    """Finds the class of the largest logit; for a single logit, 1 where it is positive and else 0.

    Args:
        logits: `(..., C)`, a tensor or a NumPy array.

    Returns:
        `(...)`, int32, a tensor or a NumPy array like the logits. The lowest of several largest logits counts.

    Example:

    >>> predicted_labels(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist()
    [1, 0]
    >>> predicted_labels(np.array([[-0.1], [0.9]])).tolist()
    [0, 1]
    """
    is_binary = logits.shape[-1] == 1
    if isinstance(logits, np.ndarray):
        return (logits[..., 0] > 0 if is_binary else logits.argmax(axis=-1)).astype(np.int32)
    return keras.ops.cast(logits[..., 0] > 0 if is_binary else keras.ops.argmax(logits, axis=-1), "int32")


def with_channel_per_label(logits: Any) -> Any:
    """Puts a channel of zeros, for the background, before the single logit of a binary model.

    The softmax of `(0, z)` is the sigmoid of `z`, and the second is the largest where `z > 0`, so that what follows
    need not distinguish binary models.

    Args:
        logits: `(..., C)`, a tensor or a NumPy array.

    Returns:
        `(..., labels)`, like the logits.

    Example:

    >>> with_channel_per_label(np.ones((1, 1, 1, 1), np.float32)).tolist()
    [[[[0.0, 1.0]]]]
    """
    if logits.shape[-1] != 1:
        return logits
    library = np if isinstance(logits, np.ndarray) else keras.ops
    return library.concatenate([library.zeros_like(logits), logits], axis=-1)
