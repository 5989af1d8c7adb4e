"""The row tiles that suit a file."""

from __future__ import annotations

import math

from .graph.network import Network
from .graph.tiles import FAST, STATIC, UNTILED, Tiling, least_memory
from .options import ConversionOptions


def tiling_for(
    network: Network, options: ConversionOptions, size: tuple[int, int] | tuple[None, None], batch_size: int
) -> Tiling:
    """How many values a file computes at once.

    Args:
        network: The network.
        options: What is asked for.
        size: `(height, width)` of the input in pixels; of a resizable file, which has no tiles, `None`.
        batch_size: Number of images.

    Returns:
        The limits.

    Example:

    >>> from pathlib import Path
    >>> from keras_segformer.conversion.graph.weights import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> network = read_network(SegFormerNetwork(VARIANTS["b0"]))
    >>> options = ConversionOptions(path=Path("b0.tflite"), save_memory=True)
    >>> tiling_for(network, options, (512, 512), batch_size=1).scores  # half of 128x128 tokens of 128 channels
    1048576
    """
    if options.resizable or not options.tiles:
        return UNTILED
    if options.may_be_static:
        return Tiling() if options.save_memory else STATIC
    if options.save_memory and network.stages:
        stage = network.stages[0]
        rows, columns = (math.ceil(side / stage.embedding.stride) for side in size)
        return least_memory(batch_size * rows * columns * max(block.ffn.expand.bias.size for block in stage.blocks))
    return FAST
