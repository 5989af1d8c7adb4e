"""MiT-B0 to B5 and PVTv2-B0 to B5 as data (paper table 6; PVTv2, arXiv 2106.13797, table 1), and two smaller ones."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from keras_segformer.models.config import MixTransformerConfig, SegFormerConfig

Config = TypeVar("Config", MixTransformerConfig, SegFormerConfig)

# name: (embed_dims, depths, decoder_width)
_VARIANTS = {
    "b0": ((32, 64, 160, 256), (2, 2, 2, 2), 256),
    "b1": ((64, 128, 320, 512), (2, 2, 2, 2), 256),
    "b2": ((64, 128, 320, 512), (3, 4, 6, 3), 768),
    "b3": ((64, 128, 320, 512), (3, 4, 18, 3), 768),
    "b4": ((64, 128, 320, 512), (3, 8, 27, 3), 768),
    "b5": ((64, 128, 320, 512), (3, 6, 40, 3), 768),
}

# The two families share widths and depths; PVTv2 expands the first two stages twice as much, but for B5.
_PVT_V2_MLP_RATIOS = dict.fromkeys(_VARIANTS, (8, 8, 4, 4)) | {"b5": (4, 4, 4, 4)}

# Not of the paper, which asks whether SegFormer fits a chip with 100 KB of memory. name: (embed_dims, decoder_width,
# input_size). One head: each further one is a set of operations of its own, which have to be described in the arena.
_MICRO_VARIANTS = {
    "micro": ((16, 24, 32, 48), 32, (96, 96)),
    "nano": ((8, 16, 24, 32), 16, (128, 128)),
}


def _for_microcontrollers(dims: tuple[int, ...]) -> MixTransformerConfig:
    return MixTransformerConfig(
        embed_dims=dims,
        depths=(1, 1, 1, 1),
        num_heads=(1, 1, 1, 1),
        mlp_ratios=(2, 2, 2, 2),
        activation="hard_swish",
        # Stochastic depth is for deep networks.
        drop_path_rate=0.0,
    )


VARIANTS: dict[str, SegFormerConfig] = (
    {
        name: SegFormerConfig(encoder=MixTransformerConfig(embed_dims=dims, depths=depths), decoder_width=width)
        for name, (dims, depths, width) in _VARIANTS.items()
    }
    | {
        f"pvt_v2_{name}": SegFormerConfig(
            encoder=MixTransformerConfig(embed_dims=dims, depths=depths, mlp_ratios=_PVT_V2_MLP_RATIOS[name]),
            decoder_width=width,
        )
        for name, (dims, depths, width) in _VARIANTS.items()
    }
    | {
        name: SegFormerConfig(encoder=_for_microcontrollers(dims), decoder_width=width, input_size=size)
        for name, (dims, width, size) in _MICRO_VARIANTS.items()
    }
)
"""Every named architecture with 150 classes; `VARIANTS["b0"].replace(num_classes=11)` makes another."""


def resolve_config(config: SegFormerConfig | Mapping[str, Any] | str) -> SegFormerConfig:
    """Finds the configuration that a constructor was given in one of three ways.

    Args:
        config: A configuration, its dictionary, or the name of one of `VARIANTS`.

    Returns:
        The configuration.

    Raises:
        ValueError: There is no architecture of that name, or the dictionary is wrong.
        TypeError: It is something else.

    Example:

    >>> resolve_config("b0").decoder_width
    256
    """
    return _resolve(_variant(config) if isinstance(config, str) else config, SegFormerConfig, "The configuration")


def resolve_encoder_config(config: MixTransformerConfig | Mapping[str, Any] | str) -> MixTransformerConfig:
    """Does for the configuration of an encoder what `resolve_config` does for that of a segmenter.

    Example:

    >>> resolve_encoder_config("b0").embed_dims
    (32, 64, 160, 256)
    """
    given = _variant(config).encoder if isinstance(config, str) else config
    return _resolve(given, MixTransformerConfig, "The configuration of an encoder")


def _resolve(config: Any, kind: type[Config], what: str) -> Config:
    """A configuration that is given itself or as a dictionary."""
    if isinstance(config, Mapping):
        return kind.from_dict(config)
    if not isinstance(config, kind):
        hint = ", whose `encoder` is one" if isinstance(config, SegFormerConfig) else ""
        raise TypeError(
            f"{what} is a `{kind.__name__}`, its dictionary or a name such as 'b0'; got {type(config).__name__}{hint}."
        )
    return config


def _variant(name: str) -> SegFormerConfig:
    if name not in VARIANTS:
        (nearest,) = difflib.get_close_matches(name, VARIANTS, n=1, cutoff=0)
        raise ValueError(
            f"There is no architecture {name!r}; did you mean {nearest!r}? There are {', '.join(VARIANTS)}. Presets, "
            "which have weights, are loaded with `SegFormer.from_preset`."
        )
    return VARIANTS[name]
