"""Mix Transformer (MiT), the hierarchical encoder (paper section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_segformer.keywords import check_keywords
from keras_segformer.layers import LayerNorm, OverlappedPatchEmbedding, PositionalEmbedding, TransformerBlock
from keras_segformer.layers.shapes import convolved_size
from keras_segformer.models.config import MixTransformerConfig, field_names
from keras_segformer.models.refusals import check_channels_last, refuse_quantization
from keras_segformer.models.trainable import set_trainable_flags, trainable_flags
from keras_segformer.models.variants import resolve_encoder_config
from keras_segformer.serialization import register


@register
class MixTransformer(keras.Model):
    """Four stages of overlapped patch embedding, transformer blocks and a norm; also PVTv2's encoder.

    Args:
        config: The hyper-parameters: a `MixTransformerConfig`, its dictionary, or a name such as `"b0"`.
        num_classes: `None` returns the stage features. A number adds the ImageNet classification head: mean
            over the tokens of the last stage, then a linear map.
        dtype: Dtype policy of every layer, the global one by default.
        name: Name of the model.
        trainable: Whether the variables are trained.
        **overrides: Fields of `MixTransformerConfig` to change, such as `drop_path_rate=0.2`.

    Attributes:
        pyramid_outputs: The four features as symbolic tensors of the functional model, by KerasHub's names: `"P2"` to
            `"P5"`, where `"Pn"` has a stride of `2**n`.
        place: Inside of a `SegFormer`, the normalised images and the four features in the functional model of that;
            `None` otherwise. They are its `input` and `output` then, so that `keras.Model(model.input,
            model.backbone.output)` works; `inputs` and `outputs` are those of the encoder's own graph.

    Returns (of a call):
        For normalised images `(B, H, W, 3)` with H, W >= 32 (RGB on the scale 0..255, of which the mean was subtracted
        and which were divided by the standard deviation; `SegFormer` does both itself), the list of the four stage
        features `(B, ceil(H / s), ceil(W / s), C_i)` with strides s = 4, 8, 16, 32, or the logits `(B, num_classes)`.
        The features are the functional outputs of the layers `stage1_norm` to
        `stage4_norm`.

    Raises:
        ValueError: An image smaller than 32x32 pixels, or Keras' image data format is "channels_first".
        UnknownKeywordError: An override that is not a field; the message has the nearest one.

    Example:

    >>> encoder = MixTransformer("b0", drop_path_rate=0.2)
    >>> [tuple(feature.shape) for feature in encoder(keras.ops.ones((1, 64, 96, 3)))]
    [(1, 16, 24, 32), (1, 8, 12, 64), (1, 4, 6, 160), (1, 2, 3, 256)]
    """

    def __init__(
        self,
        config: MixTransformerConfig | Mapping[str, Any] | str,
        num_classes: int | None = None,
        dtype: Any = None,
        name: str = "mix_transformer",
        trainable: bool = True,
        **overrides: Any,
    ) -> None:
        check_channels_last()
        check_keywords(
            "MixTransformer",
            overrides,
            {"config", "num_classes", "dtype", "name", "trainable"} | field_names(MixTransformerConfig),
        )
        config = resolve_encoder_config(config).replace(**overrides)
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())

        # === Functional model ===
        images = keras.Input((None, None, 3), name="normalised_images")
        features = _stage_features(images, config, policy)
        outputs = features
        if num_classes is not None:
            pool = keras.layers.GlobalAveragePooling2D(data_format="channels_last", dtype=policy, name="pool")
            outputs = keras.layers.Dense(num_classes, dtype=policy, name="head")(pool(features[-1]))
        super().__init__(inputs=images, outputs=outputs, name=name)

        # === Config ===
        self.dtype_policy = policy
        self.config = config
        self.num_classes = num_classes
        self.pyramid_outputs = pyramid(features)
        self.place = None
        if not trainable:
            self.trainable = False  # of every layer inside, which Keras' own argument is not

    # As of every layer of a functional model: its tensors in that model, not in the encoder's own graph.
    @property
    def input(self) -> Any:
        return super().input if self.place is None else self.place[0]

    @property
    def output(self) -> Any:
        return super().output if self.place is None else list(self.place[1])

    def quantize(self, mode: Any = None, *args: Any, **kwargs: Any) -> None:
        """Refused: Keras would quantise none of the layers that this network is made of.

        Raises:
            NotImplementedError: Always; the message names `keras_segformer.conversion.convert`.
        """
        refuse_quantization(mode)

    def get_config(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "num_classes": self.num_classes,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "name": self.name,
            "trainable": self.trainable,
            "trainable_flags": trainable_flags(self),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MixTransformer:
        arguments = dict(config)
        flags = arguments.pop("trainable_flags", {})
        model = cls(**arguments)
        set_trainable_flags(model, flags)
        return model


def pyramid(features: Sequence[Any]) -> dict[str, Any]:
    """Four features by KerasHub's names, in which `Pn` has a stride of `2**n`.

    Args:
        features: The features, finest (stride 4) first.

    Returns:
        The features by name.
    """
    return dict(zip(("P2", "P3", "P4", "P5"), features, strict=True))


def _stage_features(images: Any, config: MixTransformerConfig, policy: Any) -> list[Any]:
    learned_position = config.positional_encoding == "learned"
    x, grid, features = images, config.positional_resolution, []
    per_stage = zip(config.embed_dims, config.patch_sizes, config.strides, strict=True)
    for stage, (dim, patch_size, stride) in enumerate(per_stage):
        prefix = f"stage{stage + 1}"
        x = OverlappedPatchEmbedding(
            dim, patch_size, stride, config.patch_norm_epsilon, dtype=policy, name=f"{prefix}_patch_embedding"
        )(x)
        if learned_position:
            grid = tuple(convolved_size(length, patch_size, stride, patch_size // 2) for length in grid)
            x = PositionalEmbedding(grid, dtype=policy, name=f"{prefix}_positional_embedding")(x)
        for index, drop_path_rate in enumerate(config.drop_path_rates[stage]):
            x = TransformerBlock(
                dim,
                config.num_heads[stage],
                config.sr_ratios[stage],
                config.mlp_ratios[stage],
                drop_path_rate,
                config.block_norm_epsilon,
                config.reduction_norm_epsilon,
                convolution=not learned_position,
                activation=config.activation,
                dtype=policy,
                name=f"{prefix}_block{index + 1}",
            )(x)
        x = LayerNorm(config.stage_norm_epsilon, dtype=policy, name=f"{prefix}_norm")(x)
        features.append(x)
    return features
