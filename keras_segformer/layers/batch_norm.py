"""Batch normalisation of feature maps."""

from __future__ import annotations

from typing import Any

import keras

from keras_segformer.ops import batch_norm
from keras_segformer.serialization import register


@register
class BatchNorm(keras.layers.BatchNormalization):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, per channel of `(B, H, W, C)`.

    Mean and variance are those of the batch in training, and their moving averages otherwise. The numbers are those of
    `keras.layers.BatchNormalization`, in less time.

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`.

    Returns (of a call):
        A tensor of the input's shape.

    Example:

    >>> BatchNorm()(keras.ops.ones((1, 4, 6, 8)), training=True).shape
    TensorShape([1, 4, 6, 8])
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and self.trainable) or mask is not None or self._has_other_options(inputs):
            return super().call(inputs, training=training, mask=mask)
        normalized, *statistics = batch_norm(inputs, self.gamma, self.beta, self.epsilon)
        for average, new in zip((self.moving_mean, self.moving_variance), statistics, strict=True):
            average.assign(average * self.momentum + keras.ops.cast(new, average.dtype) * (1 - self.momentum))
        return normalized

    def _has_other_options(self, inputs: Any) -> bool:
        """Returns True if Keras' layer was given options that change the formula."""
        is_affine = self.center and self.scale
        is_per_channel = len(inputs.shape) == 4 and self.axis in (-1, 3)
        renormalizes = getattr(self, "renorm", False)  # Keras 3.10 has no such option
        return self.synchronized or renormalizes or not (is_affine and is_per_channel)
