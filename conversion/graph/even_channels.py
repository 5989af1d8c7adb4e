"""Features in a form whose quantisation keeps all channels."""

from __future__ import annotations

import dataclasses

import numpy as np

from .network import Network


def even_channels(network: Network) -> Network:
    """Multiply the channels that the decoder reads of its last stage, such that its weights for each are as large.

    In trained networks, one channel of the last stage may be several times larger than the others in all tokens, and
    the norm's gamma makes up for it. Folded into the decoder's weights, that leaves steps of INT8 that are coarse for
    all other channels. The multiplication costs little, because the maps of the last stage are the smallest.

    Args:
        network: The network, with `fold_norm_affine`.

    Returns:
        The same function with one more operation; unchanged where the affine map was not folded, or the encoder is a
        foreign one.

    Example:

    >>> from keras_segformer.conversion.fold import fold_norm_affine
    >>> from keras_segformer.conversion.graph.weights import read_network
    >>> from keras_segformer.models import VARIANTS, SegFormerNetwork
    >>> network = even_channels(fold_norm_affine(read_network(SegFormerNetwork(VARIANTS["b0"]))))
    >>> largest = abs(network.decoder.branches[-1].kernel).max(axis=1)
    >>> bool(np.ptp(largest) < 1e-6 * largest.max())
    True
    """
    if network.foreign is not None:
        return network
    stages, branches = list(network.stages), list(network.decoder.branches)
    index = int(np.argmax(network.decoder.stages))
    stage = stages[network.decoder.stages[index] - 1]
    if stage.to_decoder is not None:
        return network
    kernel = branches[index].kernel  # (in, out)
    largest = np.abs(kernel).max(axis=1)
    factors = np.where(largest > 0, largest, 1) / (largest.max() or 1)
    stages[network.decoder.stages[index] - 1] = dataclasses.replace(stage, decoder_factors=factors)
    branches[index] = dataclasses.replace(branches[index], kernel=kernel / factors[:, None])
    decoder = dataclasses.replace(network.decoder, branches=tuple(branches))
    return dataclasses.replace(network, stages=tuple(stages), decoder=decoder)
