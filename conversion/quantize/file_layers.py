"""The layers of the network in a TF Lite file."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from ..graph.builder import LayerRecord
from ..graph.network import Layer
from ..tflite.reader import Node, TFLiteFile

_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_WITHOUT_WEIGHTS = ("BATCH_MATMUL",)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FileLayer:
    """A convolution, a linear map or a matrix product of a TF Lite file.

    Args:
        layer: The layer of the network.
        operator: The operation that computes it, by its name in the schema of TF Lite.
        nodes: Its operations, one for each row tile.
    """

    layer: Layer
    operator: str
    nodes: tuple[Node, ...]

    @property
    def name(self) -> str:
        """The name of the layer, such as `"stage1/block2/expand"`."""
        return self.layer.name

    @property
    def has_weights(self) -> bool:
        """Whether one of the factors is constant."""
        return self.operator in _WITH_WEIGHTS

    @property
    def kernel(self) -> np.ndarray:
        """The weights in the file, float32: `(out, height, width, in)`, or `(1, height, width, C)` if depthwise."""
        weights = self.nodes[0].inputs[1]
        return weights.data.view("<f4").reshape(weights.shape)

    @property
    def macs(self) -> int:
        """The number of multiply-accumulate operations for one image."""
        return sum(math.prod(node.outputs[0].shape) * self._macs_per_output(node) for node in self.nodes)

    @property
    def output_pattern(self) -> str:
        """A regular expression that matches the names of its outputs."""
        return f"^({'|'.join(re.escape(node.outputs[0].name) for node in self.nodes)})(;|$)"

    def _macs_per_output(self, node: Node) -> int:
        first, second = node.inputs[0].shape, node.inputs[1].shape
        if self.operator == "CONV_2D":
            return math.prod(second[1:])
        return math.prod(second[1:3]) if self.operator == "DEPTHWISE_CONV_2D" else first[-1]


def find_layers(file: TFLiteFile, records: Sequence[LayerRecord]) -> dict[str, FileLayer]:
    """Find the operations of each layer in the file that a traced network was exported to.

    Args:
        file: The file, in float32.
        records: The layers of the traced network. Some may be missing from the file, because the exporter removes
            operations whose result is not used.

    Returns:
        The layers by their names, in the order of the file.

    Raises:
        ValueError: An operation belongs to none of the layers.
    """
    by_scope = {scope: record.layer for record in records for scope in record.scopes}
    nodes = [node for node in file.nodes if node.name in (*_WITH_WEIGHTS, *_WITHOUT_WEIGHTS)]
    layers = [_layer_of(node, by_scope) for node in nodes]
    if layers.count(None) == 1:
        # Only the output of the graph has a name of its own in the file.
        layers[layers.index(None)] = next((record.layer for record in records if record.computes_output), None)
    found: dict[str, FileLayer] = {}
    for node, layer in zip(nodes, layers, strict=True):
        if layer is None:
            raise ValueError(
                f"Operation {node.place} ({node.name}) with the output '{node.outputs[0].name}' belongs to none of the "
                "layers; quantise the file that the same traced network was exported to."
            )
        others = found[layer.name].nodes if layer.name in found else ()
        found[layer.name] = FileLayer(layer=layer, operator=node.name, nodes=(*others, node))
    return found


def _layer_of(node: Node, by_scope: Mapping[str, Layer]) -> Layer | None:
    """The layer in whose scope the operation was created."""
    # A tensor is named after the TensorFlow operations that were merged into the one that computes it.
    for operation in node.outputs[0].name.split(";"):
        scope = operation.rpartition("/")[0]
        if scope in by_scope:
            return by_scope[scope]
    return None
