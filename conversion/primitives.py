"""The operations that the inference graph consists of, on feature maps `(1, H, W, C)`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_segformer.conversion.network import Affine, Convolution, Linear, Norm
from keras_segformer.conversion.tiles import Rows


def constant(values: np.ndarray) -> tf.Tensor:
    """Weights as the graph holds them: in float32, whatever they were folded in."""
    return tf.constant(values, tf.float32)


def convolve(x: tf.Tensor, convolution: Convolution) -> tf.Tensor:
    """A convolution behind its border of zeros."""
    border = (convolution.padding, convolution.padding)
    if convolution.padding:
        # Not by "SAME", whose windows depend on the size where there is a stride.
        x = tf.pad(x, ((0, 0), border, border, (0, 0)))
    return tf.nn.conv2d(x, constant(convolution.kernel), convolution.stride, "VALID") + constant(convolution.bias)


def convolve_depthwise(x: tf.Tensor, kernel: np.ndarray, bias: np.ndarray) -> tf.Tensor:
    """A convolution of every channel alone, `kernel` being `(height, width, C, 1)`, that keeps the size."""
    return tf.nn.depthwise_conv2d(x, constant(kernel), (1, 1, 1, 1), "SAME") + constant(bias)


def apply(x: tf.Tensor, mapping: Linear | Affine | None) -> tf.Tensor:
    """A map of the channels, the same at every token; `None` is no map.

    As a 1x1 convolution it has a fast kernel everywhere, and an affine map is one operation instead of two.
    """
    if mapping is None:
        return x
    if isinstance(mapping, Affine):
        return convolve_depthwise(x, mapping.gamma[None, None, :, None], mapping.beta)
    return convolve(x, Convolution(kernel=mapping.kernel[None, None], bias=mapping.bias, stride=1))


def normalize(x: tf.Tensor, norm: Norm) -> tf.Tensor:
    """Layer norm over the channels, without its affine map.

    Spelt without the difference of squares and without a division, for which fewer targets have kernels.
    """
    if not norm.centered:
        x = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, axis=-1, keepdims=True) + norm.epsilon)


def resize(x: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Bilinear resize with half-pixel centres."""
    return x if tuple(x.shape[1:3]) == size else tf.image.resize(x, size)


def take_rows(x: tf.Tensor, rows: Rows) -> tf.Tensor:
    """Some rows of a map; the map itself for all of them."""
    return x if rows == (0, x.shape[1]) else x[:, slice(*rows)]


def resized_rows(x: tf.Tensor, size: tuple[int, int], rows: Rows) -> tf.Tensor:
    """Some rows of an enlarged map, made from no more rows than they need.

    Args:
        x: The map before. Unless all rows are wanted, its height divides `size[0]`, and the quotient both ends of
            `rows`.
        size: `(height, width)` of the whole enlarged map.
        rows: The rows wanted.

    Returns:
        `(1, rows wanted, size[1], C)`.
    """
    if rows == (0, size[0]):
        return resize(x, size)
    first, end = rows
    factor = size[0] // x.shape[1]
    # One more row at either side: the outer half of a row's `factor` rows is mixed with the neighbour.
    source_first, source_end = max(0, first // factor - 1), min(x.shape[1], end // factor + 1)
    enlarged = resize(x[:, source_first:source_end], ((source_end - source_first) * factor, size[1]))
    offset = source_first * factor
    return enlarged[:, first - offset : end - offset]


def join_rows(tiles: list[tf.Tensor]) -> tf.Tensor:
    """Runs of rows below each other."""
    return tiles[0] if len(tiles) == 1 else tf.concat(tiles, axis=1)
