"""The network as an ONNX graph, for any batch and size."""

from __future__ import annotations

import dataclasses

from ..choices import OutputKind
from ..graph.network import Attention, Block, Decoder, FeedForward, Linear, Network, Stage
from .onnx_builder import OnnxBuilder
from .onnx_foreign import add_foreign_encoder


def add_network(builder: OnnxBuilder, images: str, network: Network, output: OutputKind, opset: int) -> str:
    """Add a network to a graph.

    Args:
        builder: The graph.
        images: `(B, H, W, 3)`, float32, RGB in 0..255.
        network: The network. Folds of its layer norms only add operations: ONNX computes a whole norm in one.
        output: What it computes, as `keras_segformer.conversion.convert` describes it; the result gets this name.
        opset: The opset of the graph.

    Returns:
        The result, for any `B`, `H` and `W`.
    """
    logits = _decode(builder, _encode(builder, images, network, opset), network.decoder)
    classes = network.decoder.classifier.bias.size
    if output == "labels_full":
        logits = builder.resize(logits, builder.size(images), classes)
    if output == "logits":
        return builder.add("Identity", logits, name=output)
    if output == "probabilities":
        return _probabilities(builder, logits, classes)
    return _labels(builder, logits, classes, output)


def _encode(builder: OnnxBuilder, images: str, network: Network, opset: int) -> list[str]:
    x = builder.add("Sub", images, builder.constant(network.mean))
    if network.std is not None:
        x = builder.add("Div", x, builder.constant(network.std))
    if network.foreign is not None:
        return add_foreign_encoder(builder, x, network.foreign, opset)
    features: list[str] = []
    last = max(network.decoder.stages)
    for stage in network.stages[:last]:
        x = _encode_stage(builder, x, stage)
        features.append(x)
    return features


def _encode_stage(builder: OnnxBuilder, x: str, stage: Stage) -> str:
    x = builder.normalize(builder.convolve(x, stage.embedding), stage.embedding_norm, stage.start)
    if stage.position is not None:
        channels = stage.position.shape[-1]
        x = builder.add("Add", x, builder.resize(builder.constant(stage.position), builder.size(x), channels))
    for block in stage.blocks:
        x = _transform(builder, x, block)
    return builder.normalize(x, stage.norm, stage.to_next)


def _transform(builder: OnnxBuilder, x: str, block: Block) -> str:
    x = _attend(builder, builder.normalize(x, block.norm1, block.affine1), block.attention, x)
    return _feed_forward(builder, builder.normalize(x, block.norm2, block.affine2), block.ffn, x)


def _attend(builder: OnnxBuilder, x: str, attention: Attention, residual: str) -> str:
    reduced = x
    if attention.reduction is not None:
        reduced = builder.convolve(x, attention.reduction)
        reduced = builder.normalize(reduced, attention.reduction_norm, attention.reduction_affine)
    query = _heads(builder, builder.linear(x, _scaled(attention.query, attention.scale)), attention, (0, 2, 1, 3))
    key = _heads(builder, builder.linear(reduced, attention.key), attention, (0, 2, 3, 1))  # (B, heads, d, M)
    value = _heads(builder, builder.linear(reduced, attention.value), attention, (0, 2, 1, 3))
    scores = builder.add("MatMul", query, key)  # (B, heads, N, M)
    mixed = builder.add("MatMul", builder.add("Softmax", scores, axis=-1), value)  # (B, heads, N, d)
    mixed = builder.add("Transpose", mixed, perm=[0, 2, 1, 3])  # (B, N, heads, d)
    mixed = builder.reshape(mixed, builder.add("Shape", x))  # (B, H, W, C)
    if attention.projection is None:
        return builder.add("Add", mixed, residual)
    return builder.linear(mixed, attention.projection, residual)


def _heads(builder: OnnxBuilder, x: str, attention: Attention, order: tuple[int, ...]) -> str:
    """`(B, H, W, C)` to the axes `(B, H W, heads, d)` in another order."""
    channels = attention.query.bias.size
    x = builder.reshape(x, (0, -1, attention.num_heads, channels // attention.num_heads))
    return builder.add("Transpose", x, perm=list(order))


def _scaled(layer: Linear, factor: float) -> Linear:
    return dataclasses.replace(layer, kernel=layer.kernel * factor, bias=layer.bias * factor)


def _feed_forward(builder: OnnxBuilder, x: str, ffn: FeedForward, residual: str) -> str:
    x = builder.linear(x, ffn.expand)
    if ffn.depthwise is not None:
        x = builder.convolve(x, ffn.depthwise)
    return builder.linear(builder.activate(x, ffn.activation), ffn.contract, residual)


def _decode(builder: OnnxBuilder, features: list[str], decoder: Decoder) -> str:
    finest = features[decoder.stages[0] - 1]
    size = builder.size(finest)
    fused = builder.linear(finest, decoder.branches[0])
    for stage, branch in zip(decoder.stages[1:], decoder.branches[1:], strict=True):
        small = builder.linear(features[stage - 1], branch)
        fused = builder.add("Add", fused, builder.resize(small, size, branch.bias.size))
    logits = builder.linear(builder.add("Relu", fused), decoder.classifier)
    if decoder.stages[0] != 1:
        logits = builder.resize(logits, builder.size(features[0]), decoder.classifier.bias.size)
    return logits


def _probabilities(builder: OnnxBuilder, logits: str, classes: int) -> str:
    if classes > 1:
        return builder.add("Softmax", logits, axis=-1, name="probabilities")
    second = builder.add("Sigmoid", logits)
    first = builder.add("Sub", builder.constant(1.0), second)
    return builder.add("Concat", first, second, axis=-1, name="probabilities")


def _labels(builder: OnnxBuilder, logits: str, classes: int, output: str) -> str:
    if classes > 1:
        labels = builder.add("ArgMax", logits, axis=-1, keepdims=0)
    else:
        labels = builder.add("Greater", builder.reshape(logits, (0, 0, -1)), builder.constant(0.0))
    return builder.add("Cast", labels, to=_INT32, name=output)


_INT32 = 6  # onnx.TensorProto.INT32
