"""Folds batch norm into the decoder's branches."""

from __future__ import annotations

import dataclasses

from ..graph.network import Network


def fold_batch_norm(network: Network) -> Network:
    """Multiply the affine map that batch norm is in inference into the decoder's linear maps.

    Batch norm follows the sum of the branches, so its scale is multiplied into each of them. Its shift is added to the
    bias of one branch, since bilinear resize leaves constants unchanged: to that of the coarsest map, as in training.

    Saves an operation on the largest map of the network: 4 operations in B0's file, whose decoder works in four row
    tiles, and about 1 % of the time.

    Args:
        network: The network.

    Returns:
        The same function without batch norm.
    """
    decoder = network.decoder
    gamma, beta = decoder.batch_norm.gamma, decoder.batch_norm.beta
    branches = [
        dataclasses.replace(branch, kernel=branch.kernel * gamma, bias=branch.bias * gamma)
        for branch in decoder.branches
    ]
    branches[-1] = dataclasses.replace(branches[-1], bias=branches[-1].bias + beta)
    return dataclasses.replace(network, decoder=dataclasses.replace(decoder, branches=tuple(branches), batch_norm=None))
