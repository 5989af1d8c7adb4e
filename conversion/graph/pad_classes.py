"""Classes that are never chosen, for GPUs that look for the largest logit among the zeros behind the last, too."""

from __future__ import annotations

import dataclasses

import numpy as np

from .network import Linear, Network

_VECTOR = 4
_BELOW = 1.0


def fill_classes(network: Network) -> Network:
    """Append classes until there is a multiple of four.

    The GPU delegate of LiteRT (2.3, also in browsers) keeps channels in vectors of four. Its ARG_MAX does not leave out
    the zeros that fill the last one, and where all logits are negative it returns the number of such a zero. The
    appended classes are the first one, lowered by 1: each is always below it, and no range that is to be quantised
    becomes wider by more than that.

    Args:
        network: The network. With one class alone there is no ARG_MAX, and it is left as it is.

    Returns:
        A network whose largest logit is that of the same class.

    Example:

    >>> from keras_segformer.conversion.graph.network import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> network = read_network(SegFormerNetwork(VARIANTS["b0"].replace(num_classes=150)))
    >>> fill_classes(network).decoder.classifier.kernel.shape
    (256, 152)
    """
    classifier = network.decoder.classifier
    classes = classifier.bias.size
    missing = -classes % _VECTOR
    if classes == 1 or not missing:
        return network
    filled = Linear(
        kernel=np.concatenate([classifier.kernel, *[classifier.kernel[:, :1]] * missing], axis=1),
        bias=np.concatenate([classifier.bias, [classifier.bias[0] - _BELOW] * missing]),
    )
    return dataclasses.replace(network, decoder=dataclasses.replace(network.decoder, classifier=filled))
