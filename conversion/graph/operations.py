"""The operations without weights that the inference graph consists of, on feature maps `(B, H, W, C)`."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from .network import Norm
from .tiles import Rows

Size = tuple[int, int] | tf.Tensor
"""`(height, width)` as numbers, or as an int32 vector of the graph."""


def constant(values: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Weights as the graph holds them: in float32.

    Args:
        values: Weights of any shape, float64. A tensor, such as a weight in training, is returned as it is.

    Returns:
        The weights, float32.
    """
    return values if tf.is_tensor(values) else tf.constant(values, tf.float32)


def normalize(x: tf.Tensor, norm: Norm) -> tf.Tensor:
    """Layer normalisation over the channels, without its affine map.

    Written without squared differences and without a division, for which fewer targets have kernels.

    Args:
        x: `(B, H, W, C)`, float32.
        norm: The epsilon, whether the mean of `x` is known to be 0, and the form.

    Returns:
        `(B, H, W, C)`.
    """
    if norm.form == "unit_length":
        return tf.math.l2_normalize(x, axis=-1)
    if norm.form == "tokens":
        _, height, width, channels = x.shape
        tokens = tf.reshape(x, (1, 1, height * width, channels))
        return tf.reshape(normalize(tokens, dataclasses.replace(norm, form="variance")), x.shape)
    if not norm.centered:
        x = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    return x * tf.math.rsqrt(tf.reduce_mean(x * x, axis=-1, keepdims=True) + norm.epsilon)


def activate(x: tf.Tensor, name: str) -> tf.Tensor:
    """Applies the nonlinearity of Mix-FFN.

    Args:
        x: `(B, H, W, C)`, float32.
        name: `"gelu"`, `"hard_swish"` or `"relu"`.

    Returns:
        `(B, H, W, C)`.
    """
    if name == "gelu":
        return tf.nn.gelu(x, approximate=False)
    # The converter fuses this form of hard swish into one operation.
    return tf.nn.relu(x) if name == "relu" else x * tf.nn.relu6(x + 3.0) * (1 / 6)


def size_of(x: tf.Tensor) -> Size:
    """The height and width of a feature map.

    Args:
        x: `(B, H, W, ...)`.

    Returns:
        Numbers, or a vector that is computed when the file runs if the sides are not known before.
    """
    height, width = x.shape[1:3]
    return tf.shape(x)[1:3] if None in (height, width) else (height, width)


def cleaned(x: tf.Tensor) -> tf.Tensor:
    """The same values, behind an operation that cleans the registers (`clean_registers`).

    Args:
        x: `(B, H, W, C)`, float32.

    Returns:
        `(B, H, W, C)`.
    """
    # Neither the converter nor XNNPACK makes this a part of the layer before, as they do with an addition or one bound.
    return tf.minimum(x, tf.reshape(tf.linspace(1e38, 2e38, x.shape[2]), (1, 1, -1, 1)))


def resize(x: tf.Tensor, size: Size) -> tf.Tensor:
    """Bilinear resize with half-pixel centres.

    Args:
        x: `(B, H, W, C)`, float32.
        size: The new `(height, width)`.

    Returns:
        `(B, height, width, C)`.
    """
    return x if not tf.is_tensor(size) and tuple(x.shape[1:3]) == size else tf.image.resize(x, size)


def take_rows(x: tf.Tensor, rows: Rows) -> tf.Tensor:
    """Slice rows out of a feature map.

    Args:
        x: `(B, H, W, C)`.
        rows: The first row, and the one after the last.

    Returns:
        `(B, end - first, W, C)`; `x` itself if all rows are wanted.
    """
    return x if rows == (0, x.shape[1]) else x[:, slice(*rows)]


def resized_rows(x: tf.Tensor, size: Size, rows: Rows, rows_first: bool = False, clean: bool = False) -> tf.Tensor:
    """Some rows of an upsampled feature map, computed from no more input rows than they need.

    Args:
        x: The feature map before upsampling. Unless all rows are wanted, `size[0]` must be a multiple of its height,
            and both ends of `rows` multiples of the quotient.
        size: `(height, width)` of the whole upsampled map.
        rows: The first row wanted, and the one after the last.
        rows_first: Whether a tile is upsampled along its rows first, and cut before it is wide.
        clean: Whether an operation cleans the registers before.

    Returns:
        `(B, end - first, size[1], C)`.
    """
    if tf.is_tensor(size) or rows == (0, size[0]):
        return resize(cleaned(x) if clean else x, size)
    first, end = rows
    height, width = x.shape[1:3]
    factor = size[0] // height
    # One more row on each side: the outer half of the `factor` rows made from a row interpolates with its neighbour.
    source_first, source_end = max(0, first // factor - 1), min(height, end // factor + 1)
    columns = width if rows_first else size[1]
    source = cleaned(x[:, source_first:source_end]) if clean else x[:, source_first:source_end]
    upsampled = resize(source, ((source_end - source_first) * factor, columns))
    offset = source_first * factor
    return resize(upsampled[:, first - offset : end - offset], (end - first, size[1]))


def join_rows(tiles: list[tf.Tensor]) -> tf.Tensor:
    """Concatenate row tiles.

    Args:
        tiles: From top to bottom, `(B, rows, W, C)` or, for labels, `(B, rows, W)`; the number of rows may differ.

    Returns:
        One tensor with all rows.
    """
    return tiles[0] if len(tiles) == 1 else tf.concat(tiles, axis=1)
