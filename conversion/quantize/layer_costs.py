"""What a layer costs in each quantisation mode, by a model of a processor that is the same on every machine.

The search for a recipe weighs errors against times. Times measured during the search differ from run to run and from
machine to machine, and so would the recipe. `costs.json` says where its numbers stem from;
`python benchmarks/layer_costs.py` measures them anew on an idle machine.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from importlib import resources

from keras_segformer.json_text import parse_json

from ..tflite.reader import Node
from .file_layers import FileLayer
from .quantization_recipe import QuantizationMode

COSTS_FILE = "costs.json"


def modelled_seconds(layer: FileLayer, mode: QuantizationMode) -> float:
    """Estimate how long a layer takes on one thread, including the conversion to integers and back.

    Args:
        layer: The layer. The times of its row tiles are added.
        mode: Its quantisation mode.

    Returns:
        Seconds: for each row tile, what its multiplications, inputs, outputs and the call of the kernel take.
    """
    weights = _table()[layer.operator][mode]
    return sum(
        sum(weight * size for weight, size in zip(weights, sizes(layer.operator, node), strict=True))
        for node in layer.nodes
    )


def sizes(operator: str, node: Node) -> tuple[float, ...]:
    """What the time of an operation depends on.

    Args:
        operator: Its name in the schema of TF Lite: `"CONV_2D"` or `"DEPTHWISE_CONV_2D"`.
        node: The operation.

    Returns:
        The numbers of multiplications, inputs and outputs, and 1.
    """
    inputs, kernel, outputs = (math.prod(each.shape) for each in (node.inputs[0], node.inputs[1], node.outputs[0]))
    channels = node.outputs[0].shape[-1]
    macs = outputs * kernel / channels  # of a depthwise kernel, each channel has its own share too
    return (macs, inputs, outputs, 1.0)


@functools.cache
def _table() -> Mapping[str, Mapping[str, Sequence[float]]]:
    """Seconds for each of `sizes`, by operator and mode."""
    text = resources.files(__package__).joinpath(COSTS_FILE).read_text(encoding="utf-8")
    return parse_json(text)["seconds"]
