"""Parameters and multiply-accumulates of the networks in the paper's ablations (arXiv 2105.15203, tables 1a, 1b, 1d).

All have 150 classes, those of tables 1b and 1d pictures of 512x512. What the paper leaves unsaid follows from its
figures:

- The ResNets are those of mmsegmentation, with three 3x3 convolutions in place of the first 7x7 one (`ResNetV1c`) and
  the stride of a block in its 3x3 convolution. Their decoder has 768 channels, as that of B2 has.
- ResNeXt-101 is the one of 64 groups of 4 channels, with the 7x7 convolution.
- Stage 4 alone has no fusion layer: its linear map is enlarged to 1/4 and classified there. `decoder_stages=(4,)` of
  this package fuses and classifies at 1/32, which is cheaper, and enlarges the logits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from keras_segformer.analysis.complexity import PAPER_NUM_CLASSES, PAPER_PARAMETERS_M, Cost, count_complexity
from keras_segformer.models import VARIANTS, SegFormerConfig
from keras_segformer.presets import PRESETS

_SIDE = 512
_B2 = VARIANTS["b2"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AblationCost:
    """A row of the paper's ablation, and what is counted here.

    Args:
        name: What the row is about.
        parameters: Counted trainable parameters.
        macs: Multiply-accumulates, counted as the paper does.
        paper_parameters_m: The paper's parameters in millions.
        paper_macs_g: The paper's "FLOPs", in billions.
        paper_miou: The paper's mean IoU on ADE20K in percent.
    """

    name: str
    parameters: int
    macs: int
    paper_parameters_m: float
    paper_macs_g: float
    paper_miou: float


def ablation_costs(table: str) -> list[AblationCost]:
    """Counts the networks of an ablation of the paper.

    Args:
        table: `"1a"`, the sizes of the network on the data sets, `"1b"`, the width of the decoder of B2, or `"1d"`,
            encoders under the MLP decoder.

    Returns:
        The rows in the order of the paper.

    Raises:
        ValueError: The table is another one.

    Example:

    >>> row = ablation_costs("1b")[0]
    >>> row.name, round(row.macs / 1e9, 1), row.paper_macs_g
    ('decoder of 256 channels', 25.7, 25.7)
    """
    if table not in _TABLES:
        raise ValueError(f"There is no ablation {table!r} with costs; choose {' or '.join(_TABLES)}.")
    return [
        AblationCost(
            name=name,
            parameters=cost.parameters,
            macs=cost.plain_macs + cost.other_operations,
            paper_macs_g=macs,
            paper_parameters_m=parameters,
            paper_miou=miou,
        )
        for name, cost, macs, parameters, miou in _TABLES[table]
    ]


def _whole(config: SegFormerConfig, size: tuple[int, int] = (_SIDE, _SIDE)) -> Cost:
    return count_complexity(config, size).total


def _sizes() -> list[_Row]:
    """What the presets state of the paper's table 1a, from the smallest network to the largest."""
    titles = {"ade20k": "ADE20K", "cityscapes": "Cityscapes"}
    rows = []
    for name, info in PRESETS.items():
        if info.paper.macs_g is None or info.variant not in PAPER_PARAMETERS_M:
            continue
        height, width = info.paper.macs_input_size
        title = f"{info.variant.upper()}, {titles[name.partition('_')[2]]}, {height}x{width}"
        cost = _whole(VARIANTS[info.variant], (height, width))
        parameters = sum(PAPER_PARAMETERS_M[info.variant])
        rows.append((title, cost, info.paper.macs_g, parameters, info.paper.miou_single_scale))
    return sorted(rows, key=lambda row: row[0].partition(",")[2] + row[0])


def _stage_4_alone() -> Cost:
    channels, width = _B2.encoder.embed_dims[-1], _B2.decoder_width
    linear = Cost(parameters=(channels + 1) * width, plain_macs=channels * width * _positions(32))
    return count_complexity(_B2, (_SIDE, _SIDE)).encoder_total + linear + _classifier()


def _resnet(depths: Sequence[int], groups: int = 1, deep_stem: bool = True) -> Cost:
    """A ResNet of bottleneck blocks under the decoder of B2."""
    if deep_stem:
        cost = _convolution(3, 32, 3, 2) + _convolution(32, 32, 3, 2) + _convolution(32, 64, 3, 2)
    else:
        cost = _convolution(3, 64, 7, 2)
    channels, dims = 64, []
    for stage, depth in enumerate(depths):
        width = 64 * 2**stage * (1 if groups == 1 else groups * 4 // 64)
        stride, outputs = 4 * 2**stage, 256 * 2**stage
        for block in range(depth):
            stride_before = stride // 2 if stage and block == 0 else stride
            cost += _convolution(channels, width, 1, stride_before)
            cost += _convolution(width, width, 3, stride, groups)
            cost += _convolution(width, outputs, 1, stride)
            if block == 0:  # the shortcut; its ReLU is the block's, which the last convolution counts
                cost += dataclasses.replace(_convolution(channels, outputs, 1, stride), other_operations=0)
            channels = outputs
        dims.append(outputs)
    return cost + _decoder(dims)


def _convolution(channels_in: int, channels_out: int, kernel: int, stride: int, groups: int = 1) -> Cost:
    """A convolution without a bias, with batch norm and ReLU, whose output has a stride of the picture."""
    kernels = channels_in // groups * channels_out * kernel**2
    outputs = channels_out * _positions(stride)
    return Cost(
        parameters=kernels + 2 * channels_out, plain_macs=kernels * _positions(stride), other_operations=outputs
    )


def _decoder(dims: Sequence[int]) -> Cost:
    """The MLP decoder of B2 on maps of strides 4, 8, 16 and 32."""
    width = _B2.decoder_width
    maps = (
        Cost(parameters=(channels + 1) * width, plain_macs=channels * width * _positions(4 * 2**stage))
        for stage, channels in enumerate(dims)
    )
    return sum(maps, _convolution(len(dims) * width, width, 1, 4)) + _classifier()


def _classifier() -> Cost:
    width = _B2.decoder_width
    return Cost(
        parameters=(width + 1) * PAPER_NUM_CLASSES,
        plain_macs=width * PAPER_NUM_CLASSES * _positions(4),
        other_operations=PAPER_NUM_CLASSES * _positions(4),
    )


def _positions(stride: int) -> int:
    return (_SIDE // stride) ** 2


_Row = tuple[str, Cost, float, float, float]
_TABLES: Mapping[str, Sequence[_Row]] = {
    "1a": _sizes(),
    "1b": [
        (f"decoder of {width} channels", _whole(_B2.replace(decoder_width=width)), macs, parameters, miou)
        for width, macs, parameters, miou in (
            (256, 25.7, 24.7, 44.9),
            (512, 39.8, 25.8, 45.0),
            (768, 62.4, 27.5, 45.4),
            (1024, 93.6, 29.6, 45.2),
            (2048, 304.4, 43.4, 45.6),
        )
    ],
    "1d": [
        ("ResNet50, all stages", _resnet((3, 4, 6, 3)), 69.2, 29.0, 34.7),
        ("ResNet101, all stages", _resnet((3, 4, 23, 3)), 88.7, 47.9, 38.7),
        ("ResNeXt101, all stages", _resnet((3, 4, 23, 3), groups=64, deep_stem=False), 127.5, 86.8, 39.8),
        ("MiT-B2, stage 4", _stage_4_alone(), 22.3, 24.7, 43.1),
        ("MiT-B2, all stages", _whole(_B2), 62.4, 27.7, 45.4),
        ("MiT-B3, all stages", _whole(VARIANTS["b3"]), 79.0, 47.3, 48.6),
    ],
}
"""Name, count, and the paper's "FLOPs" in billions, parameters in millions and mean IoU."""
