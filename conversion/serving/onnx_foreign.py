"""Encoders of Keras layers in an ONNX graph, translated by tf2onnx."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

from keras_segformer.errors import MissingExtraError

from ..graph.foreign import ForeignEncoder
from .onnx_builder import IR_VERSION, OnnxBuilder

_PREFIX = "encoder/"
_FLOAT = onnx.TensorProto.FLOAT
_FACTORS = (1, 3, 9)
_TOLERANCE = 1e-3  # of the largest value; rounding stays below 1e-5


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
        MissingExtraError: The package `tf2onnx` is not installed, or ONNX Runtime, on which the result is tried.
        ValueError: The encoder has an operation that ONNX does not have, or tf2onnx translates it wrongly.
    """
    graph, captured = _translate(encoder, opset)
    used = {name for node in _all_nodes(graph) for name in node.input} & captured.keys()
    names = {name: builder.constant(captured[name]) for name in sorted(used)}
    [own_input] = [each.name for each in graph.input if each.name not in captured]
    names |= {own_input: images, "": ""}

    def name_of(tensor: str) -> str:
        return names.setdefault(tensor, _PREFIX + tensor)

    one = builder.constant(1.0)
    _rename(graph, name_of, one)
    builder.weights.extend(graph.initializer)
    builder.nodes.extend(graph.node)
    features = [each.name for each in graph.output]
    _check_translation(graph.node, builder.weights, images, features, encoder, opset)
    return features


def _check_translation(
    nodes: list[Any], weights: list[Any], images: str, features: list[str], encoder: ForeignEncoder, opset: int
) -> None:
    """Refuses a translation that computes something else: tf2onnx 1.17 drops factors out of branches, for one."""
    inputs = [onnx.helper.make_tensor_value_info(images, _FLOAT, [None, None, None, 3])]
    outputs = [onnx.helper.make_tensor_value_info(name, _FLOAT, None) for name in features]
    graph = onnx.helper.make_graph(nodes, "encoder", inputs, outputs)
    read = {name for node in _all_nodes(graph) for name in node.input}
    graph.initializer.extend(each for each in weights if each.name in read)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=IR_VERSION)
    noise, maps = _example(encoder)
    for actual, expected in zip(_run(model, {images: noise}, encoder), maps, strict=True):
        if actual.shape != expected.shape or np.abs(actual - expected).max() > _TOLERANCE * np.abs(expected).max():
            raise ValueError(
                f"tf2onnx translates the backbone {encoder.model.name!r} into one that computes something else; export "
                "a SavedModel instead."
            )


def _example(encoder: ForeignEncoder) -> tuple[np.ndarray, list[np.ndarray]]:
    """Images of odd sizes, and the feature maps of Keras: some encoders make none of smaller images."""
    height, width = (getattr(encoder.model, "input_shape", None) or (None,) * 4)[1:3]
    for factor in _FACTORS:
        shape = (2, height or 33 * factor, width or 66 * factor, 3)
        noise = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        with contextlib.suppress(ValueError, tf.errors.InvalidArgumentError):
            maps = [np.asarray(each) for each in encoder(tf.constant(noise))]
            if all(each.size for each in maps):
                return noise, maps
    raise ValueError(
        f"The backbone {encoder.model.name!r} makes no feature maps of images of {shape[1]}x{shape[2]} pixels; make "
        "it for images of any size, with keras.Input((None, None, 3))."
    )


def _run(model: Any, values: dict[str, np.ndarray], encoder: ForeignEncoder) -> list[np.ndarray]:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnxruntime", "onnx") from error
    try:
        return onnxruntime.InferenceSession(model.SerializeToString()).run(None, values)
    except Exception as error:  # its errors have no class of their own in common
        raise ValueError(
            f"ONNX Runtime refuses the translation of the backbone {encoder.model.name!r} ({error}); export a "
            "SavedModel instead."
        ) from error


def _rename(graph: Any, name_of: Callable[[str], str], one: str) -> None:
    """Gives the tensors of a graph, and of those in its branches and loops, names of their own, and replaces `Erfc`."""
    for each in (*graph.initializer, *graph.input, *graph.output):
        each.name = name_of(each.name)
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        inputs, outputs = [name_of(each) for each in node.input], [name_of(each) for each in node.output]
        name = _PREFIX + node.name
        if node.op_type == "Erfc":
            erf = f"{outputs[0]}/erf"
            graph.node.append(onnx.helper.make_node("Erf", inputs, [erf], name=f"{name}/erf"))
            graph.node.append(onnx.helper.make_node("Sub", [one, erf], outputs, name=name))
            continue
        node.input[:], node.output[:], node.name = inputs, outputs, name
        for inner in _graphs_in(node):
            _rename(inner, name_of, one)
        graph.node.append(node)


def _all_nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph, and of those in its branches and loops."""
    for node in graph.node:
        yield node
        for inner in _graphs_in(node):
            yield from _all_nodes(inner)


def _graphs_in(node: Any) -> list[Any]:
    return [each.g for each in node.attribute if each.type == onnx.AttributeProto.GRAPH]


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
    operations = {each.op_type for each in _all_nodes(model.graph)}
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
