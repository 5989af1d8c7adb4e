"""The order of a TF Lite file's operations, which decides how many tensors are alive at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_OFFSET_BYTES = 4


def reordered(content: bytes) -> bytes:
    """Put every operation right before the first that needs it.

    The converter puts operations early. The decoder's enlarged maps of the first stages would then wait in memory for
    the last stage, and every run of rows for the others. Here the operations come as a walk from the output to the
    inputs meets them, at every operation the input behind the longest chain first.

    Args:
        content: A TF Lite file of one graph.

    Returns:
        The same file with its operations in another order.
    """
    result = bytearray(content)
    graph = schema.Model.GetRootAs(result, 0).Subgraphs(0)
    order = _depth_first(_producers_of_inputs(graph))
    # A vector of tables is a vector of offsets, each relative to its own place: 10 is this vector's slot in the table
    # `SubGraph` of the schema. Unpacking and packing the file instead would lose the alignment of the weights.
    start = graph._tab.Vector(graph._tab.Offset(10))
    places = start + _OFFSET_BYTES * np.arange(len(order))
    offsets = np.frombuffer(result, "<u4", len(order), start).astype(np.int64)
    result[start : start + _OFFSET_BYTES * len(order)] = ((places + offsets)[order] - places).astype("<u4").tobytes()
    return bytes(result)


def _producers_of_inputs(graph: Any) -> list[list[int]]:
    """For every operation, the operations that make its inputs."""
    operators = [graph.Operators(index) for index in range(graph.OperatorsLength())]
    maker = {int(tensor): index for index, each in enumerate(operators) for tensor in each.OutputsAsNumpy()}
    return [[maker[tensor] for tensor in each.InputsAsNumpy().tolist() if tensor in maker] for each in operators]


def _depth_first(producers: list[list[int]]) -> list[int]:
    depths: list[int] = []
    for inputs in producers:  # the converter's order has producers first
        depths.append(1 + max((depths[each] for each in inputs), default=0))
    order: list[int] = []
    done: set[int] = set()
    # The last operation makes the output. A list in place of recursion: B5 is deeper than Python's stack.
    waiting = [len(producers) - 1]
    while waiting:
        current = waiting[-1]
        missing = [each for each in producers[current] if each not in done]
        if missing:
            waiting.append(max(missing, key=depths.__getitem__))
            continue
        waiting.pop()
        if current not in done:
            done.add(current)
            order.append(current)
    return order
