"""The normalisation of the pixels into the first convolution."""

from __future__ import annotations

import dataclasses

from ..graph.network import Network


def fold_normalization(network: Network) -> Network:
    """Divide the kernel of the first convolution by the standard deviations of the channels.

    The mean stays in front of it: the convolution pads with zeros, which is the mean pixel only behind the
    subtraction. (TF Lite pads with one number, not with one per channel.)

    Saves one of the two operations over all pixels.

    Args:
        network: The network.

    Returns:
        The same function, whose pixels are not divided.
    """
    first, *others = network.stages
    kernel = first.embedding.kernel / network.std[:, None]  # (height, width, 3, out)
    first = dataclasses.replace(first, embedding=dataclasses.replace(first.embedding, kernel=kernel))
    return dataclasses.replace(network, std=None, stages=(first, *others))
