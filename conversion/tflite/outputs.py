"""Intermediate tensors of a file as its outputs."""

from __future__ import annotations

from collections.abc import Sequence

from .writer import pack, unpack


def with_outputs(content: bytes, names: Sequence[str]) -> bytes:
    """Give a file other outputs.

    Runtimes keep outputs, whatever runs the operations, while other tensors are lost in delegates.

    Args:
        content: The file.
        names: Names of tensors that an operation of the file computes, or of its input.

    Returns:
        A file with these outputs in this order, and without signatures.
    """
    model = unpack(content)
    [graph] = model.subgraphs
    indices = {tensor.name.decode(): index for index, tensor in enumerate(graph.tensors)}
    graph.outputs = [indices[name] for name in names]
    model.signatureDefs = None
    return pack(model)
