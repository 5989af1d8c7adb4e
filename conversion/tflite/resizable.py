"""The size that a file without fixed sizes starts with."""

from __future__ import annotations

from .writer import pack, unpack


def with_initial_shape(content: bytes, shape: tuple[int, ...]) -> bytes:
    """Set the shape that the input has until the runtime sets another.

    The converter writes 1 for every side that is not known, so that a runtime that does not resize the input would run
    the network on one pixel.

    Args:
        content: A file whose input has sides that are not known.
        shape: `(B, H, W, 3)`.

    Returns:
        The file. The sides are still marked as unknown (`shape_signature` has -1), and other tensors get their shapes
        from the input.
    """
    model = unpack(content)
    graph = model.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = list(shape)
    return pack(model)
