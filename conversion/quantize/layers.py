"""The layers of a float file that integer arithmetic can take over."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np

from ..tflite.reader import Node, TFLiteFile

# A tensor's name is that of the operations it came from, with semicolons between them. TensorFlow numbers a scope that
# is entered again, as that of a layer which is computed in runs of rows.
_SCOPE = re.compile(r"(?:^|;)((?:stage\d+/(?:block\d+/)?|decoder/)(?!block)[a-z_]+?\d?)(?:_\d+)?/(?=[^/;]+(?:;|$))")
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_PRODUCTS = ("BATCH_MATMUL",)
_LAST_LAYER = "decoder/classifier"  # the output of the graph has a name of its own


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A convolution, a linear map or a product of attention.

    Args:
        name: Its scope in the inference graph, such as `"stage1/block2/expand"`.
        operator: Name of its operation in the schema.
        nodes: The operations that compute it, one for every run of rows.
    """

    name: str
    operator: str
    nodes: tuple[Node, ...]

    @property
    def has_weights(self) -> bool:
        """Whether one factor is constant."""
        return self.operator in _CONVOLUTIONS

    @property
    def kernel(self) -> np.ndarray:
        """The weights as the file holds them, float32: `(out, height, width, in)`, or `(1, height, width, C)`."""
        weights = self.nodes[0].inputs[1]
        return weights.data.view("<f4").reshape(weights.shape)

    @property
    def macs(self) -> int:
        """How often it multiplies and adds for one image."""
        return sum(math.prod(node.outputs[0].shape) * self._factors(node) for node in self.nodes)

    @property
    def pattern(self) -> str:
        """A regular expression of the names of its outputs."""
        return f"^({'|'.join(re.escape(node.outputs[0].name) for node in self.nodes)})(;|$)"

    def _factors(self, node: Node) -> int:
        first, second = node.inputs[0].shape, node.inputs[1].shape
        if self.operator == "CONV_2D":
            return math.prod(second[1:])
        return math.prod(second[1:3]) if self.operator == "DEPTHWISE_CONV_2D" else first[-1]


def find_layers(file: TFLiteFile) -> dict[str, Layer]:
    """Find the layers of a file that the inference graph was exported to.

    Args:
        file: The file, in float32.

    Returns:
        The layers by their names, in the order of the file.

    Raises:
        ValueError: An operation has no name by which to know its layer.
    """
    nodes: dict[str, list[Node]] = {}
    for node in file.nodes:
        if node.name in (*_CONVOLUTIONS, *_PRODUCTS):
            name = _LAST_LAYER if node is file.nodes[-1] else _layer_name(node)
            nodes.setdefault(name, []).append(node)
    return {name: Layer(name=name, operator=own[0].name, nodes=tuple(own)) for name, own in nodes.items()}


def _layer_name(node: Node) -> str:
    found = _SCOPE.search(node.outputs[0].name)
    if not found:
        raise ValueError(
            f"Operation {node.place} ({node.name}) has the name '{node.outputs[0].name}', which is none of a layer; "
            "quantise a file that `export` wrote."
        )
    return found[1]
