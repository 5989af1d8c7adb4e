"""What several folds share: rewriting all blocks, and merging an affine map into the layer after it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from ..graph.network import Affine, Block, Convolution, Linear, Network


def with_blocks(network: Network, rewrite: Callable[[Block], Block]) -> Network:
    """Rewrite every transformer block of a network.

    Args:
        network: The network.
        rewrite: Called with every block, and returns its replacement.

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
        affine: The affine map of `in` channels that is applied first.
        linear: A linear map from `in` to `out` channels.

    Returns:
        A linear map with the name and the shapes of `linear`.

    Example:

    >>> import numpy as np
    >>> double = Affine(block="stage1", role="to_decoder", gamma=np.array([2.0]), beta=np.array([1.0]))
    >>> branch = Linear(block="decoder", role="branch1", kernel=np.array([[3.0]]), bias=np.array([4.0]))
    >>> after_affine(double, branch).bias.tolist()
    [7.0]
    """
    kernel, bias = affine.gamma[:, None] * linear.kernel, affine.beta @ linear.kernel + linear.bias
    return dataclasses.replace(linear, kernel=kernel, bias=bias)


def convolution_after_affine(affine: Affine, convolution: Convolution) -> Convolution:
    """`convolution(affine(x))` as one convolution.

    Args:
        affine: The affine map of `in` channels that is applied first.
        convolution: A convolution without padding. (Padding would have to be with beta, not with zeros.)

    Returns:
        A convolution with the name and the shapes of `convolution`.

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
