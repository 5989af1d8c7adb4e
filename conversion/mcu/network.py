"""The form of a network that microcontrollers compute."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras_segformer.layers.shapes import convolved_size
from keras_segformer.runtime.border import Border

from ..choices import Runtime
from ..fold.rewrite import convolution_after_affine, with_blocks
from ..fold.unit_length import fold_unit_length
from ..graph.network import Affine, Attention, Block, Network, Norm, Stage
from ..graph.tiles import Tiling

_TOTAL_STRIDE = 32
# In values, each of which takes a byte. By the arenas of micro and nano at 64 to 160 pixels: smaller maps fit into
# the memory that other operations need anyway, and every strip adds operations, which are described in the arena.
_MAX_SCORES = 20_000
_MAX_FUSED = 17_000
# Ethos-U computes softmax in INT32, four maps of it at a time, with the keys filled up to a multiple of 16.
_MAX_SCORES_OF_ETHOS_U = 1_024


def check_network(network: Network, size: tuple[int, int]) -> None:
    """Refuse networks and sizes that have no integer form for microcontrollers.

    Args:
        network: The network.
        size: `(height, width)` of the picture in pixels.

    Raises:
        ValueError: The network has a foreign encoder or GELU, or a side is not a multiple of 32 pixels.
    """
    if network.foreign is not None:
        raise ValueError(
            "The precision int8_mcu needs the layers of a MixTransformer, and this backbone is another; train one of "
            'the architectures "micro" and "nano".'
        )
    activations = {block.ffn.activation for stage in network.stages for block in stage.blocks}
    if "gelu" in activations:
        raise ValueError(
            "The network has GELU, for which microcontrollers have no integer kernel; train it with "
            'activation="hard_swish", as the architectures "micro" and "nano" have.'
        )
    if any(side % _TOTAL_STRIDE for side in size):
        raise ValueError(
            f"The precision int8_mcu needs sides that are multiples of {_TOTAL_STRIDE} pixels, not "
            f"{size[0]}x{size[1]}; choose another input size, such as 96x96."
        )


def for_microcontroller(network: Network, runtime: Runtime) -> Network:
    """Rewrite a folded network for integers and little memory.

    The first convolution takes pixels as they are and has no padding. Norms have the form that the runtime computes in
    the fewest operations.

    Args:
        network: A network after `fold_all`.
        runtime: `"ethos-u"` for the NPU of that name; any other runtime stands for TF Lite's kernels.

    Returns:
        The same function, for pictures with the border that `border_of` gives.
    """
    first, *others = network.stages
    pixels = Affine(block=first.name, role="pixels", gamma=np.ones(3), beta=-network.mean)
    embedding = convolution_after_affine(pixels, dataclasses.replace(first.embedding, padding=0))
    first = dataclasses.replace(first, embedding=embedding)
    network = dataclasses.replace(network, mean=None, stages=(first, *others))
    if runtime == "ethos-u":
        return _with_token_norms(network)
    return with_blocks(fold_unit_length(network), _block_with_grid)


def border_of(network: Network, size: tuple[int, int]) -> Border:
    """The border that takes the place of the padding of the first convolution.

    Args:
        network: The network as it was read, with its padding and mean.
        size: `(height, width)` of the picture in pixels.

    Returns:
        The border, of the mean colour: what the padding with zeros stands for after normalisation.
    """
    embedding = network.stages[0].embedding
    kernel, padding, stride = embedding.kernel.shape[0], embedding.padding, embedding.stride

    def missing(side: int) -> int:
        return max(0, (convolved_size(side, kernel, stride, padding) - 1) * stride + kernel - padding - side)

    color = tuple(int(np.rint(value)) for value in network.mean)
    return Border(top=padding, left=padding, bottom=missing(size[0]), right=missing(size[1]), color=color)


def tiling_for(network: Network, size: tuple[int, int], runtime: Runtime) -> Tiling:
    """The strips that attention and decoder are computed in.

    Args:
        network: The network.
        size: `(height, width)` of the picture in pixels.
        runtime: As for `for_microcontroller`.
    """
    if runtime == "ethos-u":  # whose compiler divides the other operations by itself
        return Tiling(scores=_MAX_SCORES_OF_ETHOS_U, fused=None, enlarged=None)
    fused = size[0] // 4 * (size[1] // 4) * network.decoder.branches[0].bias.size
    # As few rows as there can be in a strip, or all.
    return Tiling(scores=_MAX_SCORES, fused=1 if fused > _MAX_FUSED else None, enlarged=None)


def _block_with_grid(block: Block) -> Block:
    attention = dataclasses.replace(block.attention, keeps_grid=block.attention.num_heads == 1)
    return dataclasses.replace(block, attention=attention)


def _with_token_norms(network: Network) -> Network:
    stages = (
        dataclasses.replace(stage, embedding_norm=_by_tokens(stage.embedding_norm), norm=_by_tokens(stage.norm))
        for stage in with_blocks(network, _block_with_token_norms).stages
    )
    return dataclasses.replace(network, stages=tuple[Stage, ...](stages))


def _block_with_token_norms(block: Block) -> Block:
    attention: Attention = block.attention
    if attention.reduction_norm is not None:
        attention = dataclasses.replace(attention, reduction_norm=_by_tokens(attention.reduction_norm))
    return dataclasses.replace(block, norm1=_by_tokens(block.norm1), attention=attention, norm2=_by_tokens(block.norm2))


def _by_tokens(norm: Norm) -> Norm:
    return dataclasses.replace(norm, form="tokens")
