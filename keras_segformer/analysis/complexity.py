"""Parameters and multiply-accumulates of a SegFormer, counted from its hyper-parameters alone.

A multiply-accumulate (MAC) is one multiplication and one addition in a convolution, a linear layer or a matrix product
of the attention. As is customary, norms, activations, softmax, biases and resizes are not counted.

The paper's columns (arXiv 2105.15203, table 1a, where MACs are called FLOPs):

- MACs. The authors' `tools/get_flops.py` adds the two matrix products of the attention to the count of mmcv 1.2's
  `get_model_complexity_info`. That tool also counts one operation per output of every convolution with a bias and of
  every ReLU, but none for the biases of linear layers, layer norm, synchronised batch norm and GELU. Counted this way,
  and with the 150 classes of ADE20K for Cityscapes too (which has 19), all twelve printed values are reproduced
  exactly: see `paper_macs`. A head of 19 classes would cost 4.4e9 less for B0 and B1 and 13.2e9 less for B2 to B5.
- Parameters. The decoder's column is exact. The encoder's is the rounded total minus the rounded decoder, hence up to
  0.1 M off the true count: B0 3.4 (3.32), B1 13.1 (13.15), B3 44.0 (44.07); the others agree both ways.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from keras_segformer.layers.shapes import convolved_size
from keras_segformer.models.config import NUM_STAGES, MixTransformerConfig, SegFormerConfig

PAPER_PARAMETERS_M: Mapping[str, tuple[float, float]] = {
    "b0": (3.4, 0.4),
    "b1": (13.1, 0.6),
    "b2": (24.2, 3.3),
    "b3": (44.0, 3.3),
    "b4": (60.8, 3.3),
    "b5": (81.4, 3.3),
}
"""Millions of parameters of the encoder and of the decoder, as printed in table 1a of the paper."""

PAPER_NUM_CLASSES = 150
"""Number of classes for which the paper prints parameters and MACs, for Cityscapes too."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of a part of the network. Costs can be added and multiplied.

    Args:
        parameters: Number of trainable parameters.
        macs: Multiply-accumulates per image as this package computes the part.
        plain_macs: Multiply-accumulates per image as the paper writes it down: its decoder projects the features of
            every stage, enlarges and concatenates them, and projects the result.
        other_operations: Operations that the paper counts in addition to `plain_macs`: biases of convolutions, and
            ReLU.
    """

    parameters: int = 0
    macs: int = 0
    plain_macs: int = 0
    other_operations: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(**{name: value + getattr(other, name) for name, value in dataclasses.asdict(self).items()})

    def __mul__(self, times: int) -> Cost:
        return Cost(**{name: value * times for name, value in dataclasses.asdict(self).items()})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Complexity:
    """The costs of a segmenter at one image size.

    Args:
        stages: Costs by module, for each stage of the encoder.
        decoder: Costs of the decoder by module.
        kernel_product_macs: Multiply-accumulates that combine the decoder's two linear layers into one. They occur
            once per call, independent of the size and number of images, and not at all in converted files, and are
            therefore not part of `macs`.
    """

    stages: tuple[Mapping[str, Cost], ...]
    decoder: Mapping[str, Cost]
    kernel_product_macs: int

    @property
    def encoder_total(self) -> Cost:
        """The cost of the four stages."""
        return sum((cost for stage in self.stages for cost in stage.values()), Cost())

    @property
    def decoder_total(self) -> Cost:
        """The cost of the decoder."""
        return sum(self.decoder.values(), Cost())

    @property
    def total(self) -> Cost:
        """The cost of the whole network."""
        return self.encoder_total + self.decoder_total


def count_complexity(config: SegFormerConfig, image_size: tuple[int, int]) -> Complexity:
    """Counts parameters and multiply-accumulates module by module.

    Args:
        config: The hyper-parameters; `output_stride` has no effect, since resizes are not counted.
        image_size: `(height, width)` in pixels.

    Returns:
        The costs. Only trainable parameters count: the `2 * config.decoder_width` statistics of batch norm, which
        Keras' `count_params` includes, do not.

    Raises:
        ValueError: The config has no encoder, or the image is smaller than 32x32 pixels.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> total = count_complexity(VARIANTS["b0"], (512, 512)).total
    >>> total.parameters, round(total.plain_macs / 1e9, 2), round(total.macs / 1e9, 2)
    (3752694, 8.39, 4.09)
    """
    encoder = config.encoder
    if encoder is None:
        raise ValueError(
            "Only the MiT encoder can be counted from a config; for a model with another backbone, call its "
            "`count_params()`."
        )
    if min(image_size) < 32:
        raise ValueError(f"Images need at least 32x32 pixels, got {image_size[0]}x{image_size[1]}; give a larger size.")
    grids = _stage_grids(encoder, image_size)
    return Complexity(
        stages=tuple(_stage_costs(encoder, stage, grids[stage]) for stage in range(NUM_STAGES)),
        decoder=_decoder_costs(config, grids),
        kernel_product_macs=sum(
            (encoder.embed_dims[stage - 1] + 1) * config.decoder_width**2 for stage in config.decoder_stages
        ),
    )


def paper_macs(config: SegFormerConfig, image_size: tuple[int, int]) -> int:
    """Counts multiply-accumulates as the paper's tables do (see the documentation of the module).

    Args:
        config: The hyper-parameters; the head is always counted with 150 classes.
        image_size: `(height, width)` in pixels.

    Returns:
        The count behind the paper's "FLOPs".

    Raises:
        ValueError: As for `count_complexity`.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> f"{paper_macs(VARIANTS['b5'], (1024, 2048)) / 1e9:.1f}"
    '1460.4'
    """
    total = count_complexity(config.replace(num_classes=PAPER_NUM_CLASSES), image_size).total
    return total.plain_macs + total.other_operations


def _stage_grids(encoder: MixTransformerConfig, image_size: tuple[int, int]) -> list[tuple[int, int]]:
    """Height and width of every stage in tokens."""
    grids, grid = [], image_size
    for patch_size, stride in zip(encoder.patch_sizes, encoder.strides, strict=True):
        grid = tuple(convolved_size(length, patch_size, stride, patch_size // 2) for length in grid)
        grids.append(grid)
    return grids


def _stage_costs(encoder: MixTransformerConfig, stage: int, grid: tuple[int, int]) -> dict[str, Cost]:
    dim, depth = encoder.embed_dims[stage], encoder.depths[stage]
    channels_in = encoder.embed_dims[stage - 1] if stage else 3
    sr_ratio = encoder.sr_ratios[stage]
    hidden_dim = dim * encoder.mlp_ratios[stage]
    tokens = grid[0] * grid[1]
    keys = (grid[0] // sr_ratio) * (grid[1] // sr_ratio)
    maps = _linear(dim, dim, tokens) * 2 + _linear(dim, dim, keys) * 2  # query, projection; key, value
    if sr_ratio > 1:
        maps += _convolution(dim, dim, sr_ratio, keys) + _norm(dim)
    ffn = _linear(dim, hidden_dim, tokens) + _linear(hidden_dim, dim, tokens)
    position = {}
    if encoder.positional_encoding == "learned":
        learned_grid = _stage_grids(encoder, encoder.positional_resolution)[stage]
        position = {"positional embedding": Cost(parameters=learned_grid[0] * learned_grid[1] * dim)}
    else:
        ffn += _depthwise_convolution(hidden_dim, 3, tokens)
    return {
        "patch embedding": _convolution(channels_in, dim, encoder.patch_sizes[stage], tokens) + _norm(dim),
        **position,
        "attention maps": maps * depth,
        "attention products": _macs(2 * tokens * keys * dim) * depth,
        "Mix-FFN": ffn * depth,
        "norms": _norm(dim) * (2 * depth + 1),
    }


def _decoder_costs(config: SegFormerConfig, grids: list[tuple[int, int]]) -> dict[str, Cost]:
    width, stages = config.decoder_width, [stage - 1 for stage in config.decoder_stages]
    tokens = [height * width_ for height, width_ in grids]
    finest = tokens[stages[0]]
    return {
        "stage maps": sum(
            (_linear(config.encoder.embed_dims[stage], width, tokens[stage]) for stage in stages), Cost()
        ),
        # This package multiplies this layer into the stage maps, so that it costs nothing per pixel.
        "fusion": Cost(parameters=len(stages) * width**2, plain_macs=finest * len(stages) * width**2),
        "batch norm and ReLU": _norm(width) + Cost(other_operations=finest * width),
        "classifier": _convolution(width, config.num_classes, 1, finest),
    }


def _macs(count: int) -> Cost:
    return Cost(macs=count, plain_macs=count)


def _linear(channels_in: int, channels_out: int, tokens: int) -> Cost:
    return Cost(parameters=(channels_in + 1) * channels_out) + _macs(channels_in * channels_out * tokens)


def _convolution(channels_in: int, channels_out: int, kernel: int, positions: int) -> Cost:
    bias = Cost(other_operations=channels_out * positions)
    return _linear(channels_in * kernel**2, channels_out, positions) + bias


def _depthwise_convolution(channels: int, kernel: int, positions: int) -> Cost:
    return _convolution(1, 1, kernel, positions) * channels


def _norm(channels: int) -> Cost:
    return Cost(parameters=2 * channels)
