"""Mix Transformer (MiT), the hierarchical encoder (paper section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from keras_segformer.layers import LayerNorm, OverlappedPatchEmbedding, PositionalEmbedding, TransformerBlock
from keras_segformer.layers.shapes import convolved_size
from keras_segformer.models.config import MixTransformerConfig
from keras_segformer.serialization import register


@register
class MixTransformer(keras.Model):
    """Four stages of overlapped patch embedding, transformer blocks and a norm; also PVTv2's encoder.

    Args:
        config: The hyper-parameters.
        num_classes: `None` returns the stage features. A number adds the ImageNet classification head: mean
            over the tokens of the last stage, then a linear map.
        dtype: Dtype policy of every layer, the global one by default.
        name: Name of the model.

    Returns (of a call):
        For normalised images `(B, H, W, 3)` with H, W >= 32, the list of the four stage features
        `(B, ceil(H / s), ceil(W / s), C_i)` with strides s = 4, 8, 16, 32, or the logits
        `(B, num_classes)`. The features are the functional outputs of the layers `stage1_norm` to
        `stage4_norm`.

    Raises:
        ValueError: An image smaller than 32x32 pixels.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> encoder = MixTransformer(VARIANTS["b0"].encoder)
    >>> [tuple(feature.shape) for feature in encoder(keras.ops.ones((1, 64, 96, 3)))]
    [(1, 16, 24, 32), (1, 8, 12, 64), (1, 4, 6, 160), (1, 2, 3, 256)]
    """

    def __init__(
        self,
        config: MixTransformerConfig | Mapping[str, Any],
        num_classes: int | None = None,
        dtype: Any = None,
        name: str = "mix_transformer",
        **kwargs: Any,
    ) -> None:
        config = MixTransformerConfig.from_dict(config) if isinstance(config, Mapping) else config
        policy = keras.dtype_policies.get(dtype or keras.config.dtype_policy())

        # === Functional model ===
        images = keras.Input((None, None, 3), name="images")
        features = _stage_features(images, config, policy)
        outputs = features
        if num_classes is not None:
            pool = keras.layers.GlobalAveragePooling2D(data_format="channels_last", dtype=policy, name="pool")
            outputs = keras.layers.Dense(num_classes, dtype=policy, name="head")(pool(features[-1]))
        super().__init__(inputs=images, outputs=outputs, name=name, **kwargs)

        # === Config ===
        self.dtype_policy = policy
        self.config = config
        self.num_classes = num_classes

    def get_config(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "num_classes": self.num_classes,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MixTransformer:
        return cls(**config)


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
                dtype=policy,
                name=f"{prefix}_block{index + 1}",
            )(x)
        x = LayerNorm(config.stage_norm_epsilon, dtype=policy, name=f"{prefix}_norm")(x)
        features.append(x)
    return features
