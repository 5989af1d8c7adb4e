"""The forward pass of prediction."""

from __future__ import annotations

import numpy as np

from keras_segformer.models import SegFormerNetwork


def quarter_logits(model: SegFormerNetwork, images: np.ndarray) -> np.ndarray:
    """Runs the network, compiled by Keras' `predict_on_batch`, and leaves its logits at a quarter of the size.

    A binary model has one logit `z` per pixel but two labels. It gets a second channel here, a logit 0 for the
    background, so that everything behind this place has one channel per label: the softmax of `(0, z)` is the sigmoid
    of `z`, and its largest entry is the foreground where `z > 0`.

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
    if logits.shape[-1] == 1:
        return np.concatenate([np.zeros_like(logits), logits], axis=-1)
    return logits
