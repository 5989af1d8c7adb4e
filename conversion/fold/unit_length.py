"""Turns layer norms of centred inputs into vectors of length 1."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np

from ..graph.network import Attention, Block, Convolution, Linear, Network, Norm, Stage

Scaled = TypeVar("Scaled", Linear, Convolution)


def fold_unit_length(network: Network) -> Network:
    """Compute every norm as `x / |x|`, and multiply `sqrt(channels)` into the layers after it.

    For `x` of mean 0, the root of its variance is `|x| / sqrt(channels)`. TF Lite has one operation for `x / |x|`
    instead of four, L2_NORMALIZATION. The epsilon of the norm is left out.

    Args:
        network: A network that `fold_norm_affine` and `fold_centering` have passed.

    Returns:
        The same function but for the epsilons.
    """
    stages = tuple(_fold_stage(stage) for stage in network.stages)
    branches = tuple(_scaled(branch) for branch in network.decoder.branches)
    decoder = dataclasses.replace(network.decoder, branches=branches)
    return dataclasses.replace(network, stages=stages, decoder=decoder)


def _fold_stage(stage: Stage) -> Stage:
    gamma = stage.to_next.gamma
    return dataclasses.replace(
        stage,
        embedding_norm=_of_unit_length(stage.embedding_norm),
        start=_scaled(stage.start),
        blocks=tuple(_fold_block(block) for block in stage.blocks),
        norm=_of_unit_length(stage.norm),
        to_next=dataclasses.replace(stage.to_next, gamma=gamma * np.sqrt(gamma.size)),
    )


def _fold_block(block: Block) -> Block:
    return dataclasses.replace(
        block,
        norm1=_of_unit_length(block.norm1),
        attention=_fold_attention(block.attention),
        norm2=_of_unit_length(block.norm2),
        ffn=dataclasses.replace(block.ffn, expand=_scaled(block.ffn.expand)),
    )


def _fold_attention(attention: Attention) -> Attention:
    scaled = {name: _scaled(getattr(attention, name)) for name in ("query", "key", "value")}
    if attention.reduction is None:
        return dataclasses.replace(attention, **scaled)
    return dataclasses.replace(
        attention,
        **scaled,
        reduction=_scaled(attention.reduction),
        reduction_norm=_of_unit_length(attention.reduction_norm),
    )


def _of_unit_length(norm: Norm) -> Norm:
    return dataclasses.replace(norm, form="unit_length")


def _scaled(layer: Scaled) -> Scaled:
    """The layer for inputs that are `sqrt(channels)` times smaller."""
    channels = layer.kernel.shape[-2]
    return dataclasses.replace(layer, kernel=layer.kernel * np.sqrt(channels))
