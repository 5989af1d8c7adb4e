"""What several folds share: maps of blocks, and affine maps multiplied into what follows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ..graph.network import Affine, Block, Convolution, Linear, Network


def with_blocks(network: Network, rewrite: Callable[[Block], Block]) -> Network:
    """The network with every transformer block rewritten.

    Args:
        network: The network.
        rewrite: From a block to another of the same function.

    Returns:
        A changed copy.
    """
    stages = tuple(
        dataclasses.replace(stage, blocks=tuple(rewrite(block) for block in stage.blocks)) for stage in network.stages
    )
    return dataclasses.replace(network, stages=stages)


def after_affine(affine: Affine, linear: Linear) -> Linear:
    """`linear(affine(x))` as one linear map.

    Args:
        affine: The map of `in` channels that comes first.
        linear: From `in` channels to `out`.

    Returns:
        A linear map of the same shapes.

    Example:

    >>> import numpy as np
    >>> double = Affine(gamma=np.array([2.0]), beta=np.array([1.0]))
    >>> after_affine(double, Linear(kernel=np.array([[3.0]]), bias=np.array([4.0]))).bias.tolist()
    [7.0]
    """
    return Linear(kernel=affine.gamma[:, None] * linear.kernel, bias=affine.beta @ linear.kernel + linear.bias)


def convolution_after_affine(affine: Affine, convolution: Convolution) -> Convolution:
    """`convolution(affine(x))` as one convolution.

    Args:
        affine: The map of `in` channels that comes first.
        convolution: Without padding: the zeros of a border would have to become the affine map's beta.

    Returns:
        A convolution of the same shapes.

    Raises:
        ValueError: The convolution is padded.
    """
    if convolution.padding:
        raise ValueError("An affine map cannot be folded into a padded convolution; keep it before the padding.")
    kernel = convolution.kernel  # (height, width, in, out)
    return dataclasses.replace(
        convolution,
        kernel=affine.gamma[:, None] * kernel,
        bias=affine.beta @ kernel.sum(axis=(0, 1)) + convolution.bias,
    )
