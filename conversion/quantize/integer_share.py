"""How much of the arithmetic of a file is done in integers."""

from __future__ import annotations

from collections.abc import Mapping

from .file_layers import FileLayer
from .quantization_recipe import QuantizationMode


def integer_share(
    modes: Mapping[str, QuantizationMode], layers: Mapping[str, FileLayer], include_attention: bool = False
) -> float:
    """Compute the share of multiplications that are done in integers.

    Args:
        modes: The quantisation mode of each layer, by its name.
        layers: The layers of the file.
        include_attention: Whether to count the matrix products of attention, where neither factor is a weight.

    Returns:
        The share, from 0 to 1.
    """
    counted = [layer for layer in layers.values() if include_attention or layer.has_weights]
    integers = sum(layer.macs for layer in counted if modes[layer.name] != "float")
    return integers / sum(layer.macs for layer in counted)
