"""Encoders that are not a `MixTransformer`: traced as they are, before the decoder of this package."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class ForeignEncoder:
    """An encoder of Keras layers, such as one of `keras.applications`.

    Args:
        model: From normalised images `(B, H, W, 3)` to the feature maps, finest first.

    Raises:
        ValueError: Keras does not run on TensorFlow, or the encoder computes in half precision.
    """

    model: keras.Model

    def __post_init__(self) -> None:
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                f"The backbone {self.model.name!r} is traced as it is, which Keras on {keras.backend.backend()} cannot "
                "do; set KERAS_BACKEND=tensorflow."
            )
        layers = self.model._flatten_layers()  # those of models inside, too
        halves = sorted({layer.compute_dtype for layer in layers} & {"float16", "bfloat16"})
        if halves:
            raise ValueError(
                f"The backbone {self.model.name!r} computes in {halves[0]}; make it in float32, and choose the "
                "precision of the file."
            )

    def __call__(self, images: tf.Tensor) -> list[tf.Tensor]:
        """Compute the feature maps in inference, with the weights as constants of the graph."""
        with tf.init_scope():  # outside of the graph, where variables have values
            values = [np.asarray(each.value) for each in self.model.variables]
        mapping = [(each, tf.constant(value)) for each, value in zip(self.model.variables, values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping):
            return list(self.model(images, training=False))

    def finest_size(self, input_size: tuple[int, int]) -> tuple[int, int]:
        """The height and width of the finest feature map, for images of a size."""
        # Computed, since layers need not know the shape of what they return.
        return tuple(self(tf.zeros((1, *input_size, 3)))[0].shape[1:3])
