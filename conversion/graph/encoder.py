"""The encoder of the inference graph."""

from __future__ import annotations

import tensorflow as tf

from .network import Attention, Block, FeedForward, Network, Stage
from .primitives import (
    apply,
    constant,
    convolve,
    convolve_depthwise,
    join_rows,
    normalize,
    resize,
    take_rows,
)
from .tiles import Tiling, row_tiles


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
    for number, stage in enumerate(network.stages, 1):
        with tf.name_scope(f"stage{number}"):
            normalized = _encode_stage(x, stage, tiling)
            features.append(apply(normalized, stage.to_decoder, "to_decoder"))
            x = apply(normalized, stage.to_next, "to_next")
    return features


def _encode_stage(x: tf.Tensor, stage: Stage, tiling: Tiling) -> tf.Tensor:
    x = normalize(convolve(x, stage.embedding, "embedding"), stage.embedding_norm)
    x = apply(x, stage.start, "start")
    if stage.position is not None:
        x = x + resize(constant(stage.position), tuple(x.shape[1:3]))
    for number, block in enumerate(stage.blocks, 1):
        with tf.name_scope(f"block{number}"):
            x = _transform(x, block, tiling)
    return normalize(x, stage.norm)


def _transform(x: tf.Tensor, block: Block, tiling: Tiling) -> tf.Tensor:
    x = x + _attend(apply(normalize(x, block.norm1), block.affine1, "affine1"), block.attention, tiling)
    return x + _feed_forward(apply(normalize(x, block.norm2), block.affine2, "affine2"), block.ffn)


def _attend(x: tf.Tensor, attention: Attention, tiling: Tiling) -> tf.Tensor:
    reduced = x
    if attention.reduction is not None:
        reduced = normalize(convolve(x, attention.reduction, "reduction"), attention.reduction_norm)
        reduced = apply(reduced, attention.reduction_affine, "reduction_affine")
    key = _split_heads(apply(reduced, attention.key, "key"), attention.num_heads)  # (1, heads, M, d)
    value = _split_heads(apply(reduced, attention.value, "value"), attention.num_heads)  # (1, heads, M, d)
    _, height, width, _ = x.shape
    tiles = row_tiles(height, width * attention.num_heads * key.shape[2], tiling.scores)
    return join_rows([_attend_from(take_rows(x, rows), key, value, attention) for rows in tiles])


def _attend_from(x: tf.Tensor, key: tf.Tensor, value: tf.Tensor, attention: Attention) -> tf.Tensor:
    """What the tokens of some rows get from all keys."""
    # One operation: the converter changes the map's weights.
    query = apply(x, attention.query, "query") * attention.scale
    query = _split_heads(query, attention.num_heads)  # (1, heads, N, d)
    with tf.name_scope("scores"):
        scores = tf.matmul(query, key, transpose_b=True)  # (1, heads, N, M)
    weights = tf.nn.softmax(scores)
    with tf.name_scope("mixture"):
        mixed = tf.matmul(weights, value)  # (1, heads, N, d)
    mixed = _join_heads(mixed, x.shape[1:3])
    return apply(mixed, attention.projection, "projection")


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
    x = apply(x, ffn.expand, "expand")
    if ffn.depthwise is not None:
        x = convolve_depthwise(x, *ffn.depthwise, "depthwise")
    return apply(tf.nn.gelu(x, approximate=False), ffn.contract, "contract")
