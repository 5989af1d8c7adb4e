"""Exact rewritings of a trained network that leave less to compute.

A fold takes a `Network` and returns another that computes the same function; each is one idea and stands alone. What
each saves is counted in the TF Lite file of B0 at 512x512, which has 412 operations with all folds and 504 with none.
Left out because they save nothing there: the scale of the queries, which TensorFlow's converter multiplies into their
map by itself, and the biases of keys and values, since every convolution of TF Lite adds one.
"""

from __future__ import annotations

from collections.abc import Callable

from ..graph.network import Network
from .batch_norm import fold_batch_norm
from .centering import fold_centering
from .norm_affine import fold_norm_affine
from .normalization import fold_normalization
from .single_head import fold_single_head

__all__ = [
    "FOLDS",
    "fold_all",
    "fold_batch_norm",
    "fold_centering",
    "fold_norm_affine",
    "fold_normalization",
    "fold_single_head",
]

FOLDS: tuple[Callable[[Network], Network], ...] = (
    fold_normalization,
    fold_norm_affine,
    fold_centering,
    fold_single_head,
    fold_batch_norm,
)
"""Every fold; any of them in any order gives the same function."""


def fold_all(network: Network) -> Network:
    """Apply every fold.

    Args:
        network: The parameters as they were trained.

    Returns:
        Those of the same function at the least arithmetic.
    """
    for fold in FOLDS:
        network = fold(network)
    return network
