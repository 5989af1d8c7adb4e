"""Batch norm into the decoder's branches."""

from __future__ import annotations

import dataclasses

from ..graph.network import Linear, Network


def fold_batch_norm(network: Network) -> Network:
    """Multiply the affine map that batch norm is in inference into the decoder's linear maps.

    The maps are added before the batch norm, so that its scale goes into each of them. A constant survives the
    bilinear resize, so that its shift goes into the bias of any one: the smallest map's, as in training.

    Saves an operation over the largest map of the network: 4 in B0's file, whose decoder works in four runs of rows,
    and about 1 % of the time.

    Args:
        network: The network.

    Returns:
        The same function without batch norm.
    """
    decoder = network.decoder
    affine = decoder.batch_norm
    branches = [Linear(kernel=each.kernel * affine.gamma, bias=each.bias * affine.gamma) for each in decoder.branches]
    branches[-1] = dataclasses.replace(branches[-1], bias=branches[-1].bias + affine.beta)
    return dataclasses.replace(network, decoder=dataclasses.replace(decoder, branches=tuple(branches), batch_norm=None))
