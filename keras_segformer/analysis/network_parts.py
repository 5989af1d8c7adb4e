"""A network in parts between which a single tensor passes, so that gradients need the memory of one part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras


class NetworkPart(NamedTuple):
    """Consecutive operations of a functional model that are entered through one tensor.

    Args:
        nodes: The operations, as Keras' nodes, in an order in which they can be computed.
        entry: The symbolic tensor through which the part is entered.
        outputs: The model's outputs that the part computes, then the entry of the next part.
        indices: For each of `outputs` its place among the model's outputs; `None` for the entry of the next part where
            that is not an output of the model.
    """

    nodes: tuple[Any, ...]
    entry: Any
    outputs: tuple[Any, ...]
    indices: tuple[int | None, ...]

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Computes the outputs.

        Args:
            inputs: The value of `entry`, alone in a list.

        Returns:
            The values of `outputs`.
        """
        values = {id(self.entry): inputs[0]}
        for node in self.nodes:
            args, kwargs = node.arguments.fill_in(values)
            results = keras.tree.flatten(node.operation(*args, **kwargs))
            values |= {id(tensor): value for tensor, value in zip(node.outputs, results, strict=True)}
        return [values[id(tensor)] for tensor in self.outputs]


def network_parts(model: keras.Model) -> list[NetworkPart]:
    """Divides a functional model of one input wherever a single tensor leads on.

    Every layer of the Mix Transformer is such a part, and so is every residual block of a CNN.

    Args:
        model: The model.

    Returns:
        The parts, from the input to the outputs. The last of a part's `outputs` is the entry of the next one, except
        for the last part.

    Raises:
        ValueError: The model is not functional, or has several inputs.

    Example:

    >>> images = keras.Input((8, 8, 3))
    >>> x = keras.layers.ReLU()(images)
    >>> model = keras.Model(images, keras.layers.Add()([x, keras.layers.Conv2D(3, 1)(x)]))
    >>> [len(part.nodes) for part in network_parts(model)]
    [1, 2]
    """
    if not getattr(model, "inputs", None) or len(model.inputs) != 1:
        raise ValueError(
            "The backbone must be a functional model of one input; build it with `keras.Model(input, maps)`."
        )
    nodes = _ordered_nodes(model)
    last_use = {id(tensor): place for place, node in enumerate(nodes) for tensor in node.input_tensors}
    number = {id(tensor): index for index, tensor in enumerate(model.outputs)}
    parts, entry, start, live = [], model.inputs[0], 0, {}
    for place, node in enumerate(nodes):
        live |= {id(tensor): tensor for tensor in (*node.input_tensors, *node.outputs)}
        live = {key: tensor for key, tensor in live.items() if last_use.get(key, -1) > place}
        if len(live) > 1 or (not live and place + 1 < len(nodes)):
            continue
        inside = tuple(nodes[start : place + 1])
        exits = list(live.values())
        outputs = [
            tensor for each in inside for tensor in each.outputs if id(tensor) in number and id(tensor) not in live
        ]
        parts.append(
            NetworkPart(inside, entry, (*outputs, *exits), tuple(number.get(id(each)) for each in (*outputs, *exits)))
        )
        entry, start = exits[0] if exits else None, place + 1
    return parts


def _ordered_nodes(model: keras.Model) -> list[Any]:
    """The calls of layers in an order in which they can be computed; what leads to the first output comes first."""
    given, done, ordered = {id(tensor) for tensor in model.inputs}, set(), []
    stack = [_producer(tensor) for tensor in reversed(model.outputs)]
    while stack:
        needed = [_producer(tensor) for tensor in stack[-1].input_tensors if id(tensor) not in given]
        missing = [node for node in needed if node not in done]
        if missing:
            stack.append(missing[0])
            continue
        node = stack.pop()
        if node not in done:
            done.add(node)
            ordered.append(node)
    return ordered


def _producer(tensor: Any) -> Any:
    # Keras has a public way to the layers of a model, but none to their calls.
    layer, index, _ = tensor._keras_history
    return layer._inbound_nodes[index]
