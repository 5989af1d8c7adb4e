"""The operations that the inference graph consists of, on feature maps `(1, H, W, C)`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from .network import Affine, Convolution, Linear, Norm
from .tiles import Rows


def constant(values: np.ndarray) -> tf.Tensor:
    """Weights as the graph holds them: in float32, whatever they were folded in.

    Args:
        values: Weights of any shape, float64; or a tensor, while they are trained.

    Returns:
        The same, float32.
    """
    return values if tf.is_tensor(values) else tf.constant(values, tf.float32)


def convolve(x: tf.Tensor, convolution: Convolution, name: str) -> tf.Tensor:
    """A convolution behind its border of zeros.

    Args:
        x: `(1, H, W, in)`, float32.
        convolution: Kernel, bias, stride and border.
        name: Name of its scope, by which the layer is known in the file.

    Returns:
        `(1, (H + 2 padding - height) // stride + 1, likewise, out)`.
    """
    border = (convolution.padding, convolution.padding)
    if convolution.padding:
        # Not by "SAME", whose windows depend on the size where there is a stride.
        x = tf.pad(x, ((0, 0), border, border, (0, 0)))
    with tf.name_scope(name):
        return tf.nn.conv2d(x, constant(convolution.kernel), convolution.stride, "VALID") + constant(convolution.bias)


def convolve_depthwise(x: tf.Tensor, kernel: np.ndarray, bias: np.ndarray, name: str) -> tf.Tensor:
    """A convolution of every channel alone that keeps the size.

    Args:
        x: `(1, H, W, C)`, float32.
        kernel: `(height, width, C, 1)`.
        bias: `(C,)`.
        name: Name of its scope.

    Returns:
        `(1, H, W, C)`.
    """
    with tf.name_scope(name):
        return tf.nn.depthwise_conv2d(x, constant(kernel), (1, 1, 1, 1), "SAME") + constant(bias)


def apply(x: tf.Tensor, mapping: Linear | Affine | None, name: str) -> tf.Tensor:
    """A map of the channels, the same at every token; `None` is no map.

    As a 1x1 convolution it has a fast kernel everywhere, and an affine map is one operation instead of two.

    Args:
        x: `(1, H, W, in)`, float32.
        mapping: The map.
        name: Name of its scope.

    Returns:
        `(1, H, W, out)`; of an affine map or none, `out` is `in`.
    """
    if mapping is None:
        return x
    if isinstance(mapping, Affine):
        return convolve_depthwise(x, mapping.gamma[None, None, :, None], mapping.beta, name)
    return convolve(x, Convolution(kernel=mapping.kernel[None, None], bias=mapping.bias, stride=1), name)


def normalize(x: tf.Tensor, norm: Norm) -> tf.Tensor:
    """Layer norm over the channels, without its affine map.

    Spelt without the difference of squares and without a division, for which fewer targets have kernels.

    Args:
        x: `(1, H, W, C)`, float32.
        norm: Its epsilon, and whether the mean of `x` is 0.

    Returns:
        `(1, H, W, C)`.
    """
    if not norm.centered:
        x = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, axis=-1, keepdims=True) + norm.epsilon)


def resize(x: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Bilinear resize with half-pixel centres.

    Args:
        x: `(1, H, W, C)`, float32.
        size: `(height, width)` afterwards.

    Returns:
        `(1, height, width, C)`.
    """
    return x if tuple(x.shape[1:3]) == size else tf.image.resize(x, size)


def take_rows(x: tf.Tensor, rows: Rows) -> tf.Tensor:
    """Some rows of a map; the map itself for all of them.

    Args:
        x: `(1, H, W, C)`.
        rows: The first, and the one behind the last.

    Returns:
        `(1, rows wanted, W, C)`.
    """
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
    """Runs of rows below each other.

    Args:
        tiles: `(1, rows, W, C)` or, of labels, `(1, rows, W)`; the rows may differ.

    Returns:
        One tensor of all rows.
    """
    return tiles[0] if len(tiles) == 1 else tf.concat(tiles, axis=1)
