"""Batch normalisation that trains by TensorFlow's own kernel."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.layers.serialization import register


@register
class BatchNorm(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of `(B, H, W, C)`, the same numbers in less time.

    Keras writes the statistics of a batch and their gradients as many passes over the map. TensorFlow has one
    operation for them, `FusedBatchNormV3`, which is taken where it computes what Keras would: in training, on
    TensorFlow, with the statistics of one device.

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`.

    Returns (of a call):
        A tensor of the input's shape.

    Example:

    >>> BatchNorm()(keras.ops.ones((1, 4, 6, 8)), training=True).shape
    TensorShape([1, 4, 6, 8])
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and self.trainable and mask is None and self._can_be_fused(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        # Not `tf.compat.v1.nn.fused_batch_norm`, which raises epsilons below 1.001e-5.
        result = tf.raw_ops.FusedBatchNormV3(
            x=ops.cast(inputs, "float32"),
            scale=ops.cast(self.gamma, "float32"),
            offset=ops.cast(self.beta, "float32"),
            mean=tf.zeros(0),
            variance=tf.zeros(0),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = ops.cast(tf.size(inputs) // inputs.shape[-1], "float32")
        biased = result.batch_variance * ((count - 1) / count)  # the operation returns the unbiased one
        for average, new in ((self.moving_mean, result.batch_mean), (self.moving_variance, biased)):
            average.assign(average * self.momentum + ops.cast(new, average.dtype) * (1 - self.momentum))
        return ops.cast(result.y, self.compute_dtype)

    def _can_be_fused(self, inputs: Any) -> bool:
        in_single_precision = keras.backend.result_type(inputs.dtype, "float32") == "float32"
        return keras.backend.backend() == "tensorflow" and in_single_precision and not self.synchronized
