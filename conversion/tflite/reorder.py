"""The order of operations in a TF Lite file, which decides how many tensors are in memory at once."""

from __future__ import annotations

from .schema import schema
from .writer import pack, unpack


def reorder_for_memory(content: bytes) -> bytes:
    """Move every operation right before the first that needs its output.

    The converter puts operations early. The decoder's enlarged maps of the first stages would then wait in memory for
    the last stage, and all tiles of a tensor for each other. Here the operations follow a depth-first walk from the
    output to the inputs, which at every operation visits the input with the longest chain of operations first.

    Args:
        content: A TF Lite file. Graphs after the first, the bodies of loops, stay as they are.

    Returns:
        The same file with the operations of its first graph in another order.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    graph.operators = [graph.operators[index] for index in _depth_first(_producers_of_inputs(graph))]
    return pack(model)


def _producers_of_inputs(graph: schema.SubGraphT) -> list[list[int]]:
    """For every operation, the operations that compute its inputs."""
    producers = {int(tensor): index for index, each in enumerate(graph.operators) for tensor in each.outputs}
    return [[producers[tensor] for tensor in map(int, each.inputs) if tensor in producers] for each in graph.operators]


def _depth_first(producers: list[list[int]]) -> list[int]:
    depths: list[int] = []
    for inputs in producers:  # the converter's order is topological
        depths.append(1 + max((depths[each] for each in inputs), default=0))
    order: list[int] = []
    done: set[int] = set()
    # The last operation computes the output. A stack instead of recursion: B5 is deeper than Python's limit.
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
