"""The encoder of the inference graph."""

from __future__ import annotations

import tensorflow as tf

from keras_segformer.conversion.network import Attention, Block, FeedForward, Network, Stage
from keras_segformer.conversion.primitives import (
    apply,
    constant,
    convolve,
    convolve_depthwise,
    join_rows,
    normalize,
    resize,
    take_rows,
)
from keras_segformer.conversion.tiles import Tiling, row_tiles


def encode(images: tf.Tensor, network: Network, tiling: Tiling) -> list[tf.Tensor]:
    """The feature maps that the decoder reads.

    Args:
        images: `(1, H, W, 3)`, float32, RGB on the scale 0..255.
        network: The parameters, folded or not.
        tiling: Bound of the attention scores that are held at once.

    Returns:
        `(1, ceil(H / s), ceil(W / s), C)` for every stage, with its stride `s`.
    """
    x = images - constant(network.mean)
    if network.std is not None:
        x = x / constant(network.std)
    features = []
    for stage in network.stages:
        normalized = _encode_stage(x, stage, tiling)
        features.append(apply(normalized, stage.to_decoder))
        x = apply(normalized, stage.to_next)
    return features


def _encode_stage(x: tf.Tensor, stage: Stage, tiling: Tiling) -> tf.Tensor:
    x = apply(normalize(convolve(x, stage.embedding), stage.embedding_norm), stage.start)
    if stage.position is not None:
        x = x + resize(constant(stage.position), tuple(x.shape[1:3]))
    for block in stage.blocks:
        x = _transform(x, block, tiling)
    return normalize(x, stage.norm)


def _transform(x: tf.Tensor, block: Block, tiling: Tiling) -> tf.Tensor:
    x = x + _attend(apply(normalize(x, block.norm1), block.affine1), block.attention, tiling)
    return x + _feed_forward(apply(normalize(x, block.norm2), block.affine2), block.ffn)


def _attend(x: tf.Tensor, attention: Attention, tiling: Tiling) -> tf.Tensor:
    reduced = x
    if attention.reduction is not None:
        reduced = normalize(convolve(x, attention.reduction), attention.reduction_norm)
        reduced = apply(reduced, attention.reduction_affine)
    key = _split_heads(apply(reduced, attention.key), attention.num_heads)  # (1, heads, M, d)
    value = _split_heads(apply(reduced, attention.value), attention.num_heads)  # (1, heads, M, d)
    _, height, width, _ = x.shape
    tiles = row_tiles(height, width * attention.num_heads * key.shape[2], tiling.scores)
    return join_rows([_attend_from(take_rows(x, rows), key, value, attention) for rows in tiles])


def _attend_from(x: tf.Tensor, key: tf.Tensor, value: tf.Tensor, attention: Attention) -> tf.Tensor:
    """What the tokens of some rows get from all keys."""
    query = apply(x, attention.query) * attention.scale  # one operation: the converter changes the map's weights
    query = _split_heads(query, attention.num_heads)  # (1, heads, N, d)
    weights = tf.nn.softmax(tf.matmul(query, key, transpose_b=True))  # (1, heads, N, M)
    mixed = _join_heads(tf.matmul(weights, value), x.shape[1:3])
    return apply(mixed, attention.projection)


def _split_heads(x: tf.Tensor, num_heads: int) -> tf.Tensor:
    """`(1, H, W, C)` to `(1, heads, H W, d)`."""
    _, height, width, channels = x.shape
    if num_heads == 1:  # nothing to transpose
        return tf.reshape(x, (1, 1, height * width, channels))
    x = tf.reshape(x, (1, height * width, num_heads, channels // num_heads))  # (1, N, heads, d)
    return tf.transpose(x, (0, 2, 1, 3))


def _join_heads(x: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """`(1, heads, H W, d)` to `(1, H, W, C)`."""
    _, num_heads, _, channels = x.shape
    if num_heads > 1:
        x = tf.transpose(x, (0, 2, 1, 3))  # (1, N, heads, d)
    return tf.reshape(x, (1, *size, num_heads * channels))


def _feed_forward(x: tf.Tensor, ffn: FeedForward) -> tf.Tensor:
    x = apply(x, ffn.expand)
    if ffn.depthwise is not None:
        x = convolve_depthwise(x, *ffn.depthwise)
    return apply(tf.nn.gelu(x, approximate=False), ffn.contract)
