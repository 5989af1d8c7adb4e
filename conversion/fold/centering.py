"""Folds the subtraction of the mean in layer norms into the layers before them."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np

from ..graph.network import Affine, Attention, Block, Convolution, Linear, Network, Norm, Stage

Map = TypeVar("Map", Linear, Convolution)


def fold_centering(network: Network) -> Network:
    """Make every layer whose output is normalised produce outputs with mean 0.

    A layer norm depends on `x` only through `x - mean(x)`, which is linear. The residual stream of a stage is read only
    by norms, so the mean can be removed from everything that is added to it: the outputs of attention and Mix-FFN, a
    learned positional embedding, and the normalised patch embedding, whose affine map becomes a linear map.
    Convolutions directly before a norm are treated in the same way.

    Saves a mean and a subtraction per norm, 60 operations of B0, with no change in time on a CPU. The linear maps after
    the patch embeddings make the file 0.4 MB larger.

    Args:
        network: The network.

    Returns:
        The same function, whose norms compute `x * rsqrt(mean(x²) + epsilon)`.
    """
    return dataclasses.replace(network, stages=tuple(_center_stage(stage) for stage in network.stages))


def centered(layer: Map) -> Map:
    """Subtract the mean over the output channels from a layer.

    Args:
        layer: A linear map or convolution.

    Returns:
        A layer whose outputs have mean 0 over the channels at every token, and are otherwise the same.

    Example:

    >>> layer = Linear(block="decoder", role="classifier", kernel=np.array([[1.0, 3.0]]), bias=np.array([0.0, 2.0]))
    >>> centered(layer).kernel.tolist()
    [[-1.0, 1.0]]
    """
    return dataclasses.replace(layer, kernel=_without_mean(layer.kernel), bias=_without_mean(layer.bias))


def _center_stage(stage: Stage) -> Stage:
    return dataclasses.replace(
        stage,
        embedding=centered(stage.embedding),
        embedding_norm=_of_centered(stage.embedding_norm),
        start=centered(_as_linear(stage.start)),
        position=None if stage.position is None else _without_mean(stage.position),
        blocks=tuple(_center_block(block) for block in stage.blocks),
        norm=_of_centered(stage.norm),
    )


def _center_block(block: Block) -> Block:
    return dataclasses.replace(
        block,
        norm1=_of_centered(block.norm1),
        attention=_center_attention(block.attention),
        norm2=_of_centered(block.norm2),
        ffn=dataclasses.replace(block.ffn, contract=centered(block.ffn.contract)),
    )


def _center_attention(attention: Attention) -> Attention:
    last = "value" if attention.projection is None else "projection"
    attention = dataclasses.replace(attention, **{last: centered(getattr(attention, last))})
    if attention.reduction is None:
        return attention
    return dataclasses.replace(
        attention,
        reduction=centered(attention.reduction),
        reduction_norm=_of_centered(attention.reduction_norm),
    )


def _of_centered(norm: Norm) -> Norm:
    return dataclasses.replace(norm, centered=True)


def _as_linear(affine: Affine) -> Linear:
    return Linear(block=affine.block, role=affine.role, kernel=np.diag(affine.gamma), bias=affine.beta)


def _without_mean(array: np.ndarray) -> np.ndarray:
    return array - array.mean(axis=-1, keepdims=True)
