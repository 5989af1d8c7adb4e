"""Encoders of Keras layers in an ONNX graph, translated by tf2onnx."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

from keras_segformer.errors import MissingExtraError

from ..graph.foreign import ForeignEncoder
from .onnx_builder import OnnxBuilder

_PREFIX = "encoder/"


def add_foreign_encoder(builder: OnnxBuilder, images: str, encoder: ForeignEncoder, opset: int) -> list[str]:
    """Add an encoder that is not a `MixTransformer` to a graph.

    tf2onnx translates TensorFlow's operations one by one, for any batch and size. It writes an operation `Erfc` for the
    GELU of Keras, which ONNX does not have; here it becomes `1 - Erf`.

    Args:
        builder: The graph.
        images: The normalised images `(B, H, W, 3)`, float32.
        encoder: The encoder.
        opset: The opset of the graph.

    Returns:
        The feature maps `(B, h, w, C)`, finest first.

    Raises:
        MissingExtraError: The package `tf2onnx` is not installed.
        ValueError: The encoder has an operation that ONNX does not have.
    """
    graph, captured = _translate(encoder, opset)
    used = {name for node in graph.node for name in node.input} & captured.keys()
    names = {name: builder.constant(captured[name]) for name in sorted(used)}
    [own_input] = [each.name for each in graph.input if each.name not in captured]
    names |= {own_input: images, "": ""}

    def name_of(tensor: str) -> str:
        return names.setdefault(tensor, _PREFIX + tensor)

    for weight in graph.initializer:
        weight.name = name_of(weight.name)
        builder.weights.append(weight)
    for node in graph.node:
        inputs, outputs = [name_of(each) for each in node.input], [name_of(each) for each in node.output]
        if node.op_type == "Erfc":
            builder.add("Sub", builder.constant(1.0), builder.add("Erf", *inputs), name=outputs[0])
            continue
        node.input[:], node.output[:], node.name = inputs, outputs, _PREFIX + node.name
        builder.nodes.append(node)
    return [name_of(each.name) for each in graph.output]


def _translate(encoder: ForeignEncoder, opset: int) -> tuple[Any, dict[str, np.ndarray]]:
    """The graph, and the values of the inputs that are none: tensors that layers such as Normalization hold."""
    try:
        import tf2onnx
    except ModuleNotFoundError as error:
        raise MissingExtraError("tf2onnx", "onnx") from error

    function = tf.function(
        lambda images: {f"map{index}": each for index, each in enumerate(encoder(images))}, autograph=False
    )
    signature = [tf.TensorSpec((None, None, None, 3), tf.float32, name="images")]
    with _without_errors("tf2onnx"), _inlined_functions():
        model, _ = tf2onnx.convert.from_function(function, signature, opset=opset)
        captures = function.get_concrete_function(*signature).graph.captures
    operations = {each.op_type for each in model.graph.node}
    unknown = sorted(name for name in operations - {"Erfc"} if not onnx.defs.has(name))
    if unknown:
        raise ValueError(
            f"The backbone {encoder.model.name!r} has operations that ONNX does not have ({', '.join(unknown)}); "
            "export a SavedModel instead."
        )
    model.graph.output.sort(key=lambda each: int(each.name.removeprefix("map")))
    return model.graph, {inner.name: outer.numpy() for outer, inner in captures}


@contextlib.contextmanager
def _inlined_functions() -> Iterator[None]:
    """Traces the bodies of functions that Keras compiles, such as convolutions in groups, instead of calls of them."""
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(before)


@contextlib.contextmanager
def _without_errors(name: str) -> Iterator[None]:
    """Silences a logger: tf2onnx logs every operation that it does not know, and goes on."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
