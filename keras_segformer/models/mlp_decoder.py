"""The all-MLP decoder (paper section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_segformer.keywords import check_keywords
from keras_segformer.layers import BatchNorm, ChannelDropout, LinearMap, MultiLevelFusion, initializers
from keras_segformer.models.config import NUM_STAGES
from keras_segformer.models.refusals import check_channels_last
from keras_segformer.models.trainable import set_trainable_flags, trainable_flags
from keras_segformer.ops import num_replicas, resize_bilinear, spatial_shape
from keras_segformer.serialization import register

_OWN_KEYWORDS = {"num_classes", "width", "stages", "dropout"}
_KEYWORDS = _OWN_KEYWORDS | {"name", "dtype", "trainable", "autocast", "activity_regularizer"}


@register
class MLPDecoder(keras.layers.Layer):
    """Fuses four feature maps of any backbone into logits at the size of the finest (`SegFormerHead`).

    Fusion to `width` channels, batch norm, ReLU, channel dropout, linear classifier. With a subset of the
    stages the fusion happens at the finest of them, and the logits are enlarged to the finest of all four.

    Args:
        num_classes: Channels of the logits.
        width: Channels `C` of the fused map.
        stages: Which of the four maps are used, counted from 1.
        dropout: Rate of the channel dropout.
        **kwargs: Further arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Returns (of a call):
        For a list of four maps `(B, H_i, W_i, C_i)`, finest first, logits `(B, H_1, W_1, num_classes)`.

    Raises:
        ValueError: The input is not a list of four maps, or Keras' image data format is "channels_first".
        UnknownKeywordError: A keyword that it does not have; the message has the nearest one.

    Example:

    >>> maps = [keras.ops.ones((1, 16 // 2**i, 24 // 2**i, 8 * (i + 1))) for i in range(4)]
    >>> MLPDecoder(num_classes=5, width=32)(maps).shape
    TensorShape([1, 16, 24, 5])
    """

    def __init__(
        self,
        num_classes: int,
        width: int = 256,
        stages: Sequence[int] = (1, 2, 3, 4),
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        check_channels_last()
        check_keywords("MLPDecoder", kwargs, _KEYWORDS)
        trainable = kwargs.pop("trainable", True)
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.width = width
        self.stages = tuple(stages)
        policy = self.dtype_policy
        self.fusion = MultiLevelFusion(width, dtype=policy, name="fusion")
        self.batch_norm = BatchNorm(
            momentum=0.9,  # torch's .1 weighs the new batch, Keras' the old average
            epsilon=1e-5,
            # Statistics of the global batch, as the original's SyncBN. Not on one device: their variance,
            # E[x²] - E[x]², has fewer exact digits.
            synchronized=num_replicas() > 1,
            dtype=policy,
            name="batch_norm",
        )
        self.dropout = ChannelDropout(dropout, dtype=policy, name="dropout")
        self.classifier = LinearMap(
            num_classes,
            initializers.torch_default_kernel(),
            bias_initializer=initializers.torch_default_bias(width),
            dtype=policy,
            name="classifier",
        )
        if not trainable:
            self.trainable = False  # of every layer inside, which Keras' own argument is not

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        self._check_number(input_shape)
        self.fusion.build(self._used(input_shape))
        fused_shape = (*input_shape[self.stages[0] - 1][:3], self.width)
        self.batch_norm.build(fused_shape)
        self.classifier.build(fused_shape)

    def call(self, inputs: Sequence[Any], training: bool | None = None) -> Any:
        x = self.fused(inputs, training)
        logits = self.classifier(self.dropout(x, training=training), training=training)
        return resize_bilinear(logits, spatial_shape(inputs[0]), training)

    def fused(self, inputs: Sequence[Any], training: bool | None = None) -> Any:
        """Computes the features that the classifier sees.

        Args:
            inputs: Four maps, as of a call.
            training: Whether batch norm uses the statistics of the batch.

        Returns:
            `(B, H_i, W_i, width)`, of the size of the finest map that is used.
        """
        self._check_number(inputs)
        x = self.fusion(self._used(inputs), training=training)
        return ops.relu(self.batch_norm(x, training=training))

    def _used(self, per_stage: Sequence[Any]) -> list[Any]:
        return [per_stage[stage - 1] for stage in self.stages]

    @staticmethod
    def _check_number(per_stage: Sequence[Any]) -> None:
        # The shape of a single map is a tuple of four as well, but ends with a number.
        if not isinstance(per_stage, list | tuple) or len(per_stage) != NUM_STAGES or isinstance(per_stage[-1], int):
            raise ValueError(
                f"The decoder takes a list of {NUM_STAGES} feature maps, finest first; give the backbone "
                f"{NUM_STAGES} outputs (strides 4, 8, 16, 32)."
            )

    def compute_output_shape(self, input_shape: Sequence[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return (*input_shape[0][:3], self.num_classes)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_classes": self.num_classes,
            "width": self.width,
            "stages": self.stages,
            "dropout": self.dropout.rate,
            "trainable_flags": trainable_flags(self),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MLPDecoder:
        arguments = dict(config)
        flags = arguments.pop("trainable_flags", {})
        decoder = cls(**arguments)
        set_trainable_flags(decoder, flags)
        return decoder
