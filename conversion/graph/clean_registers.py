"""Upsampling and ARG_MAX at their full speed behind dynamic INT8."""

from __future__ import annotations

import dataclasses

from .network import Network


def clean_registers(network: Network) -> Network:
    """Separate the decoder's products from upsampling and ARG_MAX by a MINIMUM that changes nothing.

    On CPUs with AVX512, XNNPACK's dynamic INT8 products (in LiteRT 2.3) leave the upper halves of the vector registers
    in use. Instructions of SSE are then slow until an operation with newer ones has ended. Upsampling and ARG_MAX have
    such kernels, and took twice their time (`keras-segformer benchmark --profile`). A minimum with numbers that no
    value reaches ends that, and takes a fraction of it. An addition would become a part of the product.

    Args:
        network: The network.

    Returns:
        The same function with these operations.

    Example:

    >>> from keras_segformer.conversion.graph.weights import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> clean_registers(read_network(SegFormerNetwork(VARIANTS["b0"]))).decoder.cleans_registers
    True
    """
    return dataclasses.replace(network, decoder=dataclasses.replace(network.decoder, cleans_registers=True))
