"""The forward pass of prediction."""

from __future__ import annotations

import numpy as np

from keras_segformer.models import SegFormerNetwork


def quarter_logits(model: SegFormerNetwork, images: np.ndarray) -> np.ndarray:
    """Runs the network, compiled by Keras' `predict_on_batch`, and leaves its logits at a quarter of the size.

    Args:
        model: The network.
        images: RGB on the scale 0..255, `(B, H, W, 3)`, float32, with H, W >= 32.

    Returns:
        `(B, ceil(H / 4), ceil(W / 4), labels)`, float32.

    Raises:
        ValueError: The logits are not finite.

    Example:

    ```python
    quarter_logits(model, np.zeros((1, 64, 96, 3), np.float32)).shape  # (1, 16, 24, 150)
    ```
    """
    logits = np.asarray(model.quarter.predict_on_batch(images), dtype=np.float32)
    if not np.isfinite(logits).all():
        raise ValueError(
            "The network's logits are NaN or infinite: its weights are broken, or overflow under the dtype policy "
            f"{model.dtype_policy.name!r}; load the preset again, in float32."
        )
    return with_channel_per_label(logits)


def with_channel_per_label(logits: np.ndarray) -> np.ndarray:
    """Gives the single logit `z` of a binary model, which has two labels, a second channel: 0 for the background.

    The softmax of `(0, z)` is the sigmoid of `z`, and its largest entry is the foreground where `z > 0`, so that
    nothing behind this place needs to know of binary models.

    Args:
        logits: `(B, h, w, C)`, float32.

    Returns:
        `(B, h, w, labels)`, float32.

    Example:

    >>> with_channel_per_label(np.ones((1, 1, 1, 1), np.float32)).tolist()
    [[[[0.0, 1.0]]]]
    """
    if logits.shape[-1] == 1:
        return np.concatenate([np.zeros_like(logits), logits], axis=-1)
    return logits
