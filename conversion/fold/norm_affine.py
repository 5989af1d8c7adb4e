"""Folds the affine maps of layer norms into the layers after them."""

from __future__ import annotations

import dataclasses

from ..graph.network import Attention, Block, Network
from .rewrite import after_affine, convolution_after_affine, with_blocks


def fold_norm_affine(network: Network) -> Network:
    """Multiply gamma into the rows of the next kernel, and add beta times that kernel to the bias.

    This is done for queries, keys, values, the spatial reduction, the first linear map of Mix-FFN and the decoder's
    branches. Between two stages the affine map has to stay, because the patch embedding after it pads with zeros.

    Saves an operation per norm: 23 operations of B0, and about 1 % of the time.

    Args:
        network: The network.

    Returns:
        The same function, in which only the affine maps before and after patch embeddings are left;
        unchanged if the encoder is a foreign one.
    """
    if network.foreign is not None:
        return network
    network = with_blocks(network, _fold_block)
    stages, branches = list(network.stages), list(network.decoder.branches)
    for index, stage in enumerate(network.decoder.stages):
        branches[index] = after_affine(stages[stage - 1].to_decoder, branches[index])
        stages[stage - 1] = dataclasses.replace(stages[stage - 1], to_decoder=None)
    decoder = dataclasses.replace(network.decoder, branches=tuple(branches))
    return dataclasses.replace(network, stages=tuple(stages), decoder=decoder)


def _fold_block(block: Block) -> Block:
    attention = dataclasses.replace(block.attention, query=after_affine(block.affine1, block.attention.query))
    if attention.reduction is None:
        attention = dataclasses.replace(
            attention,
            key=after_affine(block.affine1, attention.key),
            value=after_affine(block.affine1, attention.value),
        )
    else:
        attention = _fold_reduction(
            dataclasses.replace(attention, reduction=convolution_after_affine(block.affine1, attention.reduction))
        )
    ffn = dataclasses.replace(block.ffn, expand=after_affine(block.affine2, block.ffn.expand))
    return dataclasses.replace(block, affine1=None, attention=attention, affine2=None, ffn=ffn)


def _fold_reduction(attention: Attention) -> Attention:
    return dataclasses.replace(
        attention,
        key=after_affine(attention.reduction_affine, attention.key),
        value=after_affine(attention.reduction_affine, attention.value),
        reduction_affine=None,
    )
