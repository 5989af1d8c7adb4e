"""The encoder of the inference graph."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from .builder import GraphBuilder
from .network import Attention, Block, FeedForward, Network, Stage
from .operations import Size, activate, constant, join_rows, normalize, resize, size_of, take_rows
from .tiles import row_tiles


def encode(images: tf.Tensor, network: Network, builder: GraphBuilder) -> list[tf.Tensor]:
    """Compute the feature maps that the decoder reads.

    Args:
        images: `(B, H, W, 3)`, float32, RGB in 0..255.
        network: The network, folded or not.
        builder: Records the layers, and limits the attention scores held at once.

    Returns:
        One map for each stage up to the last that the decoder reads, `(B, ceil(H / s), ceil(W / s), C)` with the stride
        `s` of the stage.
    """
    x = images
    if network.mean is not None:
        x = x - _per_row(network.mean, x)
    if network.std is not None:
        x = x / _per_row(network.std, x)
    if network.foreign is not None:
        return network.foreign(x)
    features: list[tf.Tensor] = []
    last = max(network.decoder.stages)
    for stage in network.stages[:last]:
        with tf.name_scope(stage.name):
            normalized = _encode_stage(x, stage, builder)
            feature = builder.apply(normalized, stage.to_decoder)
            if stage.decoder_factors is not None:
                feature = feature * constant(stage.decoder_factors)
            features.append(feature)
            if len(features) < last:
                x = builder.apply(normalized, stage.to_next)
    return features


def _per_row(values: np.ndarray, x: tf.Tensor) -> tf.Tensor:
    """Values of the channels, repeated for every column where there are several: XNNPACK is slow with rows of three."""
    width = x.shape[2]
    if len(values) == 1 or width is None:
        return constant(values)
    return constant(np.broadcast_to(values, (1, 1, width, len(values))))


def _encode_stage(x: tf.Tensor, stage: Stage, builder: GraphBuilder) -> tf.Tensor:
    x = normalize(builder.apply(x, stage.embedding), stage.embedding_norm)
    x = builder.apply(x, stage.start)
    if stage.position is not None:
        x = x + resize(constant(stage.position), size_of(x))
    for number, block in enumerate(stage.blocks, 1):
        with tf.name_scope(f"block{number}"):
            x = _transform(x, block, builder)
    return normalize(x, stage.norm)


def _transform(x: tf.Tensor, block: Block, builder: GraphBuilder) -> tf.Tensor:
    x = x + _attend(builder.apply(normalize(x, block.norm1), block.affine1), block.attention, builder)
    return x + _feed_forward(builder.apply(normalize(x, block.norm2), block.affine2), block.ffn, builder)


def _attend(x: tf.Tensor, attention: Attention, builder: GraphBuilder) -> tf.Tensor:
    reduced = x
    if attention.reduction is not None:
        reduced = normalize(builder.apply(x, attention.reduction), attention.reduction_norm)
        reduced = builder.apply(reduced, attention.reduction_affine)
    if attention.keeps_grid:
        reduced = _in_one_row(reduced)  # (B, 1, M, C)
    key, value = builder.apply(reduced, attention.key), builder.apply(reduced, attention.value)
    mean = None
    if attention.centers_values:
        mean = tf.reduce_mean(value, axis=(1, 2), keepdims=True)  # (B, 1, 1, C)
        value = value - mean
    if not attention.keeps_grid:
        key, value = (_split_heads(each, attention.num_heads) for each in (key, value))  # (B, heads, M, d)
    batch, height, width, _ = x.shape
    values_per_row = batch * (width or 1) * attention.num_heads * (key.shape[2] or 1)
    tiling = builder.tiling
    tiles = row_tiles(height, values_per_row, tiling.scores, most=tiling.most_scores)
    return join_rows([_attend_from(take_rows(x, rows), key, value, mean, attention, builder) for rows in tiles])


def _attend_from(
    x: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    mean: tf.Tensor | None,
    attention: Attention,
    builder: GraphBuilder,
) -> tf.Tensor:
    """Attention of the tokens of some rows to all keys."""
    # The converter multiplies the scale into the weights of the linear map: one operation in the file.
    query = builder.apply(x, attention.query) * attention.scale
    if not attention.keeps_grid:
        query = _split_heads(query, attention.num_heads)  # (B, heads, N, d)
    scores = builder.multiply(query, key, attention.scores, transpose_b=True)  # (B, heads, N, M)
    weights = tf.nn.softmax(scores)
    mixed = builder.multiply(weights, value, attention.mixture)  # (B, heads, N, d)
    if not attention.keeps_grid:
        mixed = _join_heads(mixed, size_of(x))
    if mean is not None:
        mixed = mixed + mean
    return builder.apply(mixed, attention.projection)


def _split_heads(x: tf.Tensor, num_heads: int) -> tf.Tensor:
    """`(B, H, W, C)` to `(B, heads, H W, d)`."""
    batch, _, _, channels = x.shape
    if num_heads == 1:  # nothing to transpose
        return _in_one_row(x)
    x = tf.reshape(x, (batch, -1, num_heads, channels // num_heads))  # (B, N, heads, d)
    return tf.transpose(x, (0, 2, 1, 3))


def _in_one_row(x: tf.Tensor) -> tf.Tensor:
    """`(B, H, W, C)` to `(B, 1, H W, C)`."""
    batch, _, _, channels = x.shape
    return tf.reshape(x, (batch, 1, -1, channels))


def _join_heads(x: tf.Tensor, size: Size) -> tf.Tensor:
    """`(B, heads, H W, d)` to `(B, H, W, C)`."""
    batch, num_heads, _, channels = x.shape
    if num_heads > 1:
        x = tf.transpose(x, (0, 2, 1, 3))  # (B, N, heads, d)
    return tf.reshape(x, (batch, size[0], size[1], num_heads * channels))


def _feed_forward(x: tf.Tensor, ffn: FeedForward, builder: GraphBuilder) -> tf.Tensor:
    x = builder.apply(builder.apply(x, ffn.expand), ffn.depthwise)
    return builder.apply(activate(x, ffn.activation), ffn.contract)
