"""Whether a preset's weights are as many as its config asks for, before a model of that size is made."""

from __future__ import annotations

import dataclasses
import math

from keras_segformer.errors import WeightsMismatchError
from keras_segformer.models import MixTransformerConfig, SegFormerConfig


@dataclasses.dataclass(frozen=True)
class WeightsSize:
    """How much a file of weights holds.

    Args:
        tensors: The number of tensors.
        numbers: The number of values in all of them.
    """

    tensors: int
    numbers: int


def check_size(config: SegFormerConfig, classification: bool, size: WeightsSize) -> None:
    """Refuses a config that describes a larger network than its weights can fill.

    A config of a few bytes can describe a network of terabytes, or of a billion blocks.

    Args:
        config: The hyper-parameters.
        classification: Whether the network is an encoder with an ImageNet head rather than a segmenter.
        size: What the file of weights holds.

    Raises:
        WeightsMismatchError: The network has more blocks than there are tensors, or more parameters than there are
            values.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> check_size(VARIANTS["b0"], False, WeightsSize(tensors=400, numbers=3_800_000))
    """
    encoder = config.encoder
    blocks = 0 if encoder is None else sum(encoder.depths)
    numbers = fewest_parameters(config, classification)
    if blocks > size.tensors or numbers > size.numbers:
        raise WeightsMismatchError(
            f"The config describes a network of {blocks} blocks with more than {numbers / 1e6:.1f} M parameters, but "
            f"the weights are {size.tensors} tensors of {size.numbers / 1e6:.1f} M values; get the whole preset again."
        )


def fewest_parameters(config: SegFormerConfig, classification: bool = False) -> int:
    """Counts the parameters of the matrices and convolutions, without biases and norms.

    Args:
        config: The hyper-parameters; a backbone of its own counts nothing.
        classification: Whether the network is an encoder with an ImageNet head rather than a segmenter.

    Returns:
        A lower bound of the number of parameters.

    Example:

    >>> from keras_segformer import VARIANTS
    >>> fewest_parameters(VARIANTS["b0"])
    3729504
    """
    encoder = config.encoder
    if encoder is None:
        return config.decoder_width**2 * len(config.decoder_stages) + config.decoder_width * config.num_classes
    if classification:
        return _encoder_parameters(encoder) + encoder.embed_dims[-1] * config.num_classes
    channels = sum(encoder.embed_dims[stage - 1] for stage in config.decoder_stages)
    width = config.decoder_width
    decoder = channels * width + len(config.decoder_stages) * width**2 + width * config.num_classes
    return _encoder_parameters(encoder) + decoder


def _encoder_parameters(encoder: MixTransformerConfig) -> int:
    total = 0
    for stage, (channels, before) in enumerate(zip(encoder.embed_dims, (3, *encoder.embed_dims), strict=False)):
        reduction = encoder.sr_ratios[stage] ** 2 if encoder.sr_ratios[stage] > 1 else 0
        block = (4 + reduction + 2 * encoder.mlp_ratios[stage]) * channels**2
        total += encoder.patch_sizes[stage] ** 2 * before * channels + encoder.depths[stage] * block
        if encoder.positional_encoding == "learned":
            stride = math.prod(encoder.strides[: stage + 1])
            total += math.prod(side // stride for side in encoder.positional_resolution) * channels
        else:
            total += encoder.depths[stage] * 9 * encoder.mlp_ratios[stage] * channels
    return total
