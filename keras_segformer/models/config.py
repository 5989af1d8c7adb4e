"""The knobs of a SegFormer, as data."""

from __future__ import annotations

import dataclasses
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from keras_segformer.keywords import check_keywords

NUM_STAGES = 4

Activation = Literal["gelu", "hard_swish", "relu"]

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixTransformerConfig:
    """Hyper-parameters of the hierarchical encoder (paper section 3.1 and table 6).

    Every four-tuple holds one value per stage.

    Args:
        embed_dims: Channels `C_i` of the stages.
        depths: Number of transformer blocks `L_i`.
        num_heads: Attention heads `N_i`; each divides its embed dim.
        sr_ratios: Side of the spatial reduction of keys and values. The paper's `R_i` is the area, the
            square of these.
        mlp_ratios: Expansion `E_i` of Mix-FFN. MiT uses 4, 4, 4, 4; PVTv2-B0 to B4 use 8, 8, 4, 4.
        patch_sizes: Kernel `K_i` of the overlapped patch embedding, in pixels of its input.
        strides: Stride `S_i` of the overlapped patch embedding.
        drop_path_rate: Stochastic depth of the last block; it grows linearly from 0 over all blocks.
        patch_norm_epsilon: Epsilon of the norms behind the patch embeddings.
        block_norm_epsilon: Epsilon of the two norms inside every block.
        reduction_norm_epsilon: Epsilon of the norm behind the spatial reduction.
        stage_norm_epsilon: Epsilon of the norm at the end of every stage. The original code uses 1e-6 in
            blocks and stages and 1e-5 elsewhere; transformers uses 1e-5 everywhere.
        positional_encoding: `"mix_ffn"` leaves position to the 3x3 convolution of Mix-FFN; `"learned"`
            replaces that convolution by a learned embedding per stage (the ablation of table 1c).
        positional_resolution: `(height, width)` of the images, in pixels, for which the learned embedding
            has one vector per token; it is interpolated for any other size.
        activation: The nonlinearity of Mix-FFN: the paper's `"gelu"`, or `"hard_swish"` or `"relu"`, for which
            microcontrollers have integer kernels.

    Raises:
        ValueError: A value of the wrong type, length or range.

    Example:

    >>> MixTransformerConfig(embed_dims=(32, 64, 160, 256), depths=(2, 2, 2, 2)).num_heads
    (1, 2, 5, 8)
    """

    embed_dims: tuple[int, ...]
    depths: tuple[int, ...]
    num_heads: tuple[int, ...] = (1, 2, 5, 8)
    sr_ratios: tuple[int, ...] = (8, 4, 2, 1)
    mlp_ratios: tuple[int, ...] = (4, 4, 4, 4)
    patch_sizes: tuple[int, ...] = (7, 3, 3, 3)
    strides: tuple[int, ...] = (4, 2, 2, 2)
    drop_path_rate: float = 0.1
    patch_norm_epsilon: float = 1e-5
    block_norm_epsilon: float = 1e-6
    reduction_norm_epsilon: float = 1e-5
    stage_norm_epsilon: float = 1e-6
    positional_encoding: Literal["mix_ffn", "learned"] = "mix_ffn"
    positional_resolution: tuple[int, int] = (512, 512)
    activation: Activation = "gelu"

    def __post_init__(self) -> None:
        _check_types(self)
        for name in ("embed_dims", "depths", "num_heads", "sr_ratios", "mlp_ratios", "patch_sizes", "strides"):
            values = getattr(self, name)
            _require(len(values) == NUM_STAGES, f"`{name}` needs {NUM_STAGES} values, one per stage; got {values}")
            _require(min(values) >= 1, f"`{name}` needs positive values; got {values}")
        for dim, heads in zip(self.embed_dims, self.num_heads, strict=True):
            _require(dim % heads == 0, f"an embed dim of {dim} cannot be split into {heads} attention heads")
        _require(0 <= self.drop_path_rate < 1, f"`drop_path_rate` must be in [0, 1); got {self.drop_path_rate}")
        for name in ("patch_norm_epsilon", "block_norm_epsilon", "reduction_norm_epsilon", "stage_norm_epsilon"):
            _require(0 < getattr(self, name) < 1, f"`{name}` must be in (0, 1); got {getattr(self, name)}")
        _require(
            self.positional_encoding in ("mix_ffn", "learned"),
            f'`positional_encoding` is "mix_ffn" or "learned"; got {self.positional_encoding!r}',
        )
        _require(
            self.activation in typing.get_args(Activation),
            f"`activation` is one of {', '.join(typing.get_args(Activation))}; got {self.activation!r}",
        )
        _require(
            len(self.positional_resolution) == 2 and min(self.positional_resolution) >= 32,
            f"`positional_resolution` is (height, width), each at least 32; got {self.positional_resolution}",
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> MixTransformerConfig:
        """The inverse of `to_dict`; raises `ValueError` for unknown or missing names and bad values."""
        return _from_mapping(cls, values)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return dataclasses.asdict(self)

    def replace(self, **overrides: Any) -> MixTransformerConfig:
        """A copy with other values.

        Args:
            **overrides: New values by field name.

        Returns:
            The changed copy.

        Raises:
            UnknownKeywordError: A name that is not a field.
            ValueError: A value of the wrong type, length or range.
        """
        check_keywords("MixTransformerConfig", overrides, field_names(MixTransformerConfig))
        return dataclasses.replace(self, **overrides)

    @property
    def drop_path_rates(self) -> tuple[tuple[float, ...], ...]:
        """The stochastic depth rate of every block, stage by stage."""
        last = max(sum(self.depths) - 1, 1)
        rates = iter(self.drop_path_rate * index / last for index in range(sum(self.depths)))
        return tuple(tuple(next(rates) for _ in range(depth)) for depth in self.depths)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SegFormerConfig:
    """Hyper-parameters of the whole segmenter (paper section 3).

    Args:
        encoder: The MiT encoder, or `None` where the model is given a backbone of its own.
        num_classes: Channels of the logits. 1 is binary segmentation: one logit per pixel, read through a
            sigmoid.
        decoder_width: Channels `C` of the MLP decoder (256 for B0 and B1, 768 for B2 to B5).
        decoder_stages: Which stages feed the decoder, counted from 1.
        decoder_dropout: Rate of the channel dropout before the classifier.
        input_size: `(height, width)` in pixels at which the model is meant to run; it runs at any other too.
        output_stride: 1 gives logits at the size of the input, 4 leaves them at a quarter of it.
        image_mean: Mean of the three RGB channels on the scale 0..255.
        image_std: Standard deviation of the three RGB channels on the scale 0..255.

    Raises:
        ValueError: A value of the wrong type, length or range.

    Example:

    >>> config = SegFormerConfig(encoder=None, num_classes=11)
    >>> config.replace(decoder_width=128).decoder_width
    128
    """

    encoder: MixTransformerConfig | None
    num_classes: int = 150
    decoder_width: int = 256
    decoder_stages: tuple[int, ...] = (1, 2, 3, 4)
    decoder_dropout: float = 0.1
    input_size: tuple[int, int] = (512, 512)
    output_stride: int = 1
    image_mean: tuple[float, ...] = IMAGENET_MEAN
    image_std: tuple[float, ...] = IMAGENET_STD

    def __post_init__(self) -> None:
        if isinstance(self.encoder, Mapping):
            object.__setattr__(self, "encoder", MixTransformerConfig.from_dict(self.encoder))
        _check_types(self)
        _require(self.num_classes >= 1, f"`num_classes` must be at least 1; got {self.num_classes}")
        _require(self.decoder_width >= 1, f"`decoder_width` must be at least 1; got {self.decoder_width}")
        stages = self.decoder_stages
        _require(
            bool(stages) and stages == tuple(sorted(set(stages))) and stages[0] >= 1 and stages[-1] <= NUM_STAGES,
            f"`decoder_stages` are distinct ascending numbers from 1 to {NUM_STAGES}; got {stages}",
        )
        _require(0 <= self.decoder_dropout < 1, f"`decoder_dropout` must be in [0, 1); got {self.decoder_dropout}")
        _require(self.output_stride in (1, 4), f"`output_stride` is 1 or 4; got {self.output_stride}")
        _require(
            len(self.input_size) == 2 and min(self.input_size) >= 32,
            f"`input_size` is (height, width), each at least 32; got {self.input_size}",
        )
        for name in ("image_mean", "image_std"):
            _require(len(getattr(self, name)) == 3, f"`{name}` needs 3 values (RGB); got {getattr(self, name)}")
        _require(min(self.image_std) > 0, f"`image_std` must be positive; got {self.image_std}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegFormerConfig:
        """The inverse of `to_dict`.

        Args:
            values: One entry per field; `encoder` is a mapping, a config or `None`.

        Returns:
            The config.

        Raises:
            ValueError: An unknown or missing name, or a value out of range.
        """
        return _from_mapping(cls, values)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values, the encoder's as a nested dictionary."""
        return dataclasses.asdict(self)

    def replace(self, **overrides: Any) -> SegFormerConfig:
        """A copy with other values; names of the encoder's fields reach the encoder.

        Args:
            **overrides: New values by field name.

        Returns:
            The changed copy.

        Raises:
            UnknownKeywordError: A name that neither config has.
            ValueError: A value of the wrong type, length or range.
        """
        encoder_names, own_names = field_names(MixTransformerConfig), field_names(SegFormerConfig)
        check_keywords("SegFormerConfig", overrides, encoder_names | own_names)
        of_encoder = {name: value for name, value in overrides.items() if name in encoder_names}
        own = {name: value for name, value in overrides.items() if name in own_names}
        if of_encoder:
            encoder = own.get("encoder", self.encoder)
            _require(encoder is not None, f"{sorted(of_encoder)} belong to the MiT encoder, which this model lacks")
            own["encoder"] = dataclasses.replace(encoder, **of_encoder)
        return dataclasses.replace(self, **own)

    def same_weights(self, other: SegFormerConfig) -> bool:
        """Whether both describe the same variables, so that the weights of one fit the other."""
        return self._structure() == other._structure()

    def _structure(self) -> tuple[Any, ...]:
        encoder = self.encoder and dataclasses.replace(
            self.encoder, **{name: getattr(MixTransformerConfig, name) for name in _WITHOUT_WEIGHTS}
        )
        return encoder, self.num_classes, self.decoder_width, self.decoder_stages


# Fields of the encoder that change what it computes, but no variable.
_WITHOUT_WEIGHTS = (
    "drop_path_rate",
    "patch_norm_epsilon",
    "block_norm_epsilon",
    "reduction_norm_epsilon",
    "stage_norm_epsilon",
    "activation",
)


def field_names(config: type) -> set[str]:
    """The names of a configuration's fields.

    Args:
        config: `SegFormerConfig` or `MixTransformerConfig`.

    Returns:
        The names.
    """
    return {field.name for field in dataclasses.fields(config)}


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(f"Invalid SegFormer configuration: {message}.")


def _from_mapping(cls: type, values: Mapping[str, Any]) -> Any:
    """Build a config dataclass from JSON values, naming what is unknown or missing."""
    _require(isinstance(values, Mapping), f"expected a mapping of {cls.__name__} fields, got {type(values).__name__}")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    unknown = sorted(set(values) - set(fields))
    _require(not unknown, f"{cls.__name__} has no {unknown}; its fields are {sorted(fields)}")
    missing = sorted(n for n, f in fields.items() if f.default is dataclasses.MISSING and n not in values)
    _require(not missing, f"{cls.__name__} lacks {missing}")
    return cls(**values)


def _check_types(config: Any) -> None:
    """Hold every field against its annotation, and turn the lists that JSON gives into tuples."""
    for name, annotation in typing.get_type_hints(type(config)).items():
        value = getattr(config, name)
        if typing.get_origin(annotation) is tuple:
            element = typing.get_args(annotation)[0]
            _require(isinstance(value, list | tuple), f"`{name}` must be a list, got {value!r}")
            value = tuple(_checked_number(name, item, element) for item in value)
        elif annotation in (int, float):
            value = _checked_number(name, value, annotation)
        elif typing.get_origin(annotation) is types.UnionType:
            _require(isinstance(value, typing.get_args(annotation)), f"`{name}` must be {annotation}, got {value!r}")
        object.__setattr__(config, name, value)


def _checked_number(name: str, value: Any, kind: type) -> int | float:
    # bool is an int in Python, and JSON's `true` is not a channel count.
    _require(isinstance(value, int | float) and not isinstance(value, bool), f"`{name}` holds {value!r}, not a number")
    # Python's JSON reader takes NaN, Infinity and integers beyond any float.
    _require(abs(value) <= sys.float_info.max, f"`{name}` holds {value!r}, not a finite number")
    _require(kind is float or float(value).is_integer(), f"`{name}` holds {value!r}, not a whole number")
    return kind(value)
