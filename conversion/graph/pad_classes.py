"""Padding of the classes to a multiple of four, which ARG_MAX needs on GPUs."""

from __future__ import annotations

import dataclasses

import numpy as np

from .network import Network

_VECTOR_SIZE = 4  # channels in a vector of the GPU delegate
_MARGIN = 1.0  # by how much the logits of added classes lie below those of the first class


def pad_classes(network: Network) -> Network:
    """Add classes that are never predicted until their number is a multiple of four.

    The GPU delegate of LiteRT (2.3, also in browsers) stores channels in vectors of four. Its ARG_MAX includes the
    zeros that fill the last vector, and returns the index of such a zero if all logits are negative. The added classes
    are copies of the first class with a bias lower by 1: they are never the largest, and widen the range to be
    quantised by 1 at most.

    Args:
        network: The network. If it has only one class, there is no ARG_MAX and nothing is added.

    Returns:
        A network that predicts the same labels.

    Example:

    >>> from keras_segformer.conversion.graph.weights import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> network = read_network(SegFormerNetwork(VARIANTS["b0"].replace(num_classes=150)))
    >>> pad_classes(network).decoder.classifier.kernel.shape
    (256, 152)
    """
    classifier = network.decoder.classifier
    classes = classifier.bias.size
    missing = -classes % _VECTOR_SIZE
    if classes == 1 or not missing:
        return network
    padded = dataclasses.replace(
        classifier,
        kernel=np.concatenate([classifier.kernel, *[classifier.kernel[:, :1]] * missing], axis=1),
        bias=np.concatenate([classifier.bias, [classifier.bias[0] - _MARGIN] * missing]),
    )
    return dataclasses.replace(network, decoder=dataclasses.replace(network.decoder, classifier=padded))
