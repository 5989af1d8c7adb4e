"""Pixels in a form whose quantisation keeps every byte."""

from __future__ import annotations

import dataclasses

import numpy as np

from .network import Network

_LIMITS = (-128.0, 127.0)  # of INT8
_CENTER = 128.0  # the byte that becomes 0


def center_pixels(network: Network) -> Network:
    """Let the first convolution see pixels minus 128, padded with the mean colour minus 128.

    It sees pixels minus the mean colour otherwise, so that it can pad with zeros. Channels have other means, hence
    their range is wider than 256, and INT8 steps are coarser than bytes: they cause ten times the error of all other
    layers of B0 together. Pixels minus 128 are INT8 themselves where a picture has black and white in it, and their
    steps are finer than bytes elsewhere.

    Args:
        network: The network, with `fold_normalization`.

    Returns:
        The same function; unchanged if the first convolution is in a foreign encoder.

    Example:

    >>> from keras_segformer.conversion.fold import fold_normalization
    >>> from keras_segformer.conversion.graph.weights import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> network = center_pixels(fold_normalization(read_network(SegFormerNetwork(VARIANTS["b0"]))))
    >>> network.stages[0].embedding.border.round(1).tolist()
    [-4.3, -11.7, -24.5]
    """
    if network.foreign is not None or network.mean is None:
        return network
    first, *others = network.stages
    border = np.asarray(network.mean, np.float64) - _CENTER
    kernel = first.embedding.kernel  # (height, width, 3, out)
    bias = first.embedding.bias - np.einsum("hwio,i->o", kernel, border)
    embedding = dataclasses.replace(first.embedding, bias=bias, border=border, limits=_LIMITS)
    first = dataclasses.replace(first, embedding=embedding)
    return dataclasses.replace(network, mean=np.array([_CENTER]), stages=(first, *others))
