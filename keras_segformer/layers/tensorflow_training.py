"""Functions for training on TensorFlow, with gradients written out.

They compute what the plain operations of the layers compute. Automatic differentiation of those goes over the maps many
times, one operation after the other, and most of what a network of this size does is limited by memory.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from keras_segformer.layers.replicas import num_replicas
from keras_segformer.layers.training_backend import has_only_a_cpu

Gradient = Callable[..., Sequence[tf.Tensor]]
Tensors = tf.Tensor | Sequence[tf.Tensor]


def linear_map(x: tf.Tensor, kernel: keras.Variable, bias: keras.Variable) -> tf.Tensor:
    """A 1x1 convolution whose gradients are products of matrices, a quarter faster than those of convolutions.

    Args:
        x: `(B, H, W, C)`.
        kernel: `(1, 1, C, D)`.
        bias: `(D,)`.

    Returns:
        `(B, H, W, D)`.

    Example:

    >>> linear_map(tf.ones((1, 4, 6, 3)), tf.ones((1, 1, 3, 8)), tf.zeros(8)).shape
    TensorShape([1, 4, 6, 8])
    """

    @tf.custom_gradient
    def function(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            matrix, rows = kernel[0, 0], _rows(upstream)  # (C, D), (B * H * W, D)
            by_input = tf.reshape(tf.matmul(rows, matrix, transpose_b=True), tf.shape(x))  # (B, H, W, C)
            by_kernel = tf.matmul(_rows(x), rows, transpose_a=True)  # (C, D)
            return by_input, by_kernel[None, None], sum_over_positions(upstream)

        return tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias), gradient

    return function(x, *_read(kernel, bias))


def normalize(x: tf.Tensor, gamma: keras.Variable, beta: keras.Variable, epsilon: float) -> tf.Tensor:
    """Layer norm over the channels.

    Args:
        x: `(B, H, W, C)`.
        gamma: `(C,)`.
        beta: `(C,)`.
        epsilon: Added to the variance.

    Returns:
        A tensor of the shape of `x`.

    Source: the gradient as in Ba et al., arXiv 1607.06450, with the mean and the projection on the normalised map
    taken out of the upstream gradient.

    Example:

    >>> normalize(tf.ones((1, 4, 6, 3)), tf.ones(3), tf.zeros(3), 1e-6).shape
    TensorShape([1, 4, 6, 3])
    """

    @tf.custom_gradient
    def function(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        output, mean, scale = _normalize(x, gamma, beta, tf.constant(epsilon, x.dtype))

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            by_gamma = _times_normalized(upstream, x, mean, scale)
            average = gamma[:, None] / x.shape[-1]  # (C, 1)
            means = [tf.reshape(tf.matmul(_rows(each), average), tf.shape(mean)) for each in (upstream, by_gamma)]
            by_input = _normalize_gradient(upstream, x, mean, scale, gamma, *means)
            return by_input, sum_over_positions(by_gamma), sum_over_positions(upstream)

        return output, gradient

    return function(x, *_read(gamma, beta))


@tf.custom_gradient
def attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    """`softmax(query key) value`.

    The softmax's gradient needs, per query, the sum of its weights times their gradients, as long as there are keys.
    That is the product of the output with the upstream gradient, which is as long as a head has channels.

    Args:
        query: `(B, heads, N, d)`, scaled.
        key: `(B, heads, d, M)`.
        value: `(B, heads, M, d)`.

    Returns:
        `(B, heads, N, d)`.

    Source: Dao et al., arXiv 2205.14135, appendix B.2.

    Example:

    >>> attend(tf.ones((1, 2, 6, 4)), tf.ones((1, 2, 4, 3)), tf.ones((1, 2, 3, 4))).shape
    TensorShape([1, 2, 6, 4])
    """
    weights = tf.nn.softmax(tf.matmul(query, key))  # (B, heads, N, M)
    mixture = tf.matmul(weights, value)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        by_value = tf.matmul(upstream, weights, transpose_a=True)  # (B, heads, d, M)
        by_weights = tf.matmul(upstream, value, transpose_b=True)  # (B, heads, N, M)
        by_scores = _softmax_gradient(by_weights, weights, tf.reduce_sum(upstream * mixture, axis=-1, keepdims=True))
        by_query = tf.matmul(by_scores, key, transpose_b=True)
        by_key = tf.matmul(query, by_scores, transpose_a=True)
        return by_query, by_key, tf.linalg.matrix_transpose(by_value)

    return mixture, gradient


@tf.custom_gradient
def gelu(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    """The exact GELU, `x P(X <= x)` of a normal variable, of `(B, H, W, C)`.

    Example:

    >>> gelu(tf.zeros((1, 4, 6, 3))).shape
    TensorShape([1, 4, 6, 3])
    """
    return _gelu(x), lambda upstream: _gelu_gradient(x, upstream)


def add(maps: Sequence[tf.Tensor]) -> tf.Tensor:
    """The sum of maps `(B, H, W, C)`.

    Example:

    >>> add([tf.ones((1, 4, 6, 3))] * 4).shape
    TensorShape([1, 4, 6, 3])
    """

    @tf.custom_gradient
    def function(*maps: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        return _sum(*maps), lambda upstream: [upstream] * len(maps)

    return function(*maps)


def resize_bilinear(x: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """The bilinear resize with half-pixel centres, whose gradient TensorFlow computes on one core.

    Args:
        x: `(B, h, w, C)`.
        size: Target `(height, width)` in pixels. The gradient is this package's own where they are multiples of the
            size of `x`.

    Returns:
        `(B, *size, C)`.

    Example:

    >>> resize_bilinear(tf.ones((1, 4, 6, 3)), (8, 24)).shape
    TensorShape([1, 8, 24, 3])
    """
    factors = [
        target // length if length and target % length == 0 else 0
        for target, length in zip(size, x.shape[1:3], strict=True)
    ]
    if not (all(factors) and _fits_xla(x)):
        return tf.image.resize(x, size)

    @tf.custom_gradient
    def function(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return _enlarging_gradient(2, factors[1])(_enlarging_gradient(1, factors[0])(upstream))

        return tf.image.resize(x, size), gradient

    return function(x)


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The cross-entropy of every pixel.

    Args:
        labels: `(B, H, W)`, int32.
        logits: `(B, H, W, classes)`.

    Returns:
        `(B, H, W)`.

    Raises:
        tensorflow.errors.InvalidArgumentError: A label has no class.

    Example:

    >>> cross_entropy(tf.zeros((1, 4, 6), "int32"), tf.zeros((1, 4, 6, 2))).numpy().max().round(3)
    0.693
    """
    classes = logits.shape[-1]
    message = f"A mask holds a label that is not among the {classes} classes of the model, nor the one that is ignored."
    in_range = [tf.debugging.assert_less(labels, classes, message), tf.debugging.assert_non_negative(labels, message)]

    @tf.custom_gradient
    def function(logits: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        losses, normalizer = _cross_entropy(labels, logits)
        return losses, lambda upstream: _cross_entropy_gradient(logits, labels, normalizer, upstream)

    # Inside of functions they run by themselves.
    with tf.control_dependencies([check for check in in_range if check is not None]):
        if not _fits_xla(labels, logits):
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return function(logits)


def sum_over_positions(x: tf.Tensor) -> tf.Tensor:
    """The sum of `(B, H, W, C)` per channel, `(C,)`, as a product with ones: TensorFlow's reduction is slower.

    Example:

    >>> sum_over_positions(tf.ones((1, 4, 6, 3))).numpy().tolist()
    [24.0, 24.0, 24.0]
    """
    rows = _rows(x)
    return tf.matmul(tf.ones((1, tf.shape(rows)[0])), rows)[0]


def _read(*variables: keras.Variable) -> list[tf.Tensor]:
    # TensorFlow takes no variables in functions with gradients of their own.
    return [tf.convert_to_tensor(variable) for variable in variables]


def _rows(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (-1, x.shape[-1]))  # (B * H * W, C)


def _mean(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(x, axis=-1, keepdims=True)


def _in_one_pass(function: Callable[..., Tensors]) -> Callable[..., Tensors]:
    """A function, element by element but for sums over few channels, in one pass over maps where XLA can compile it."""

    @functools.cache
    def compiled(*signature: tf.TensorSpec) -> Callable[..., Tensors]:
        return tf.function(function, signature, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def call(*tensors: tf.Tensor) -> Tensors:
        if not _fits_xla(*tensors):
            return function(*tensors)
        return compiled(*(tf.TensorSpec(x.shape, x.dtype) for x in tensors))(*tensors)

    return call


def _fits_xla(*tensors: tf.Tensor) -> bool:
    """Whether XLA can compile for these tensors, and is to: it compiles once per size, too often for ever new sizes."""
    return all(x.shape[1:].is_fully_defined() for x in tensors) and num_replicas() == 1 and _xla_runs()


@functools.cache
def _xla_runs() -> bool:
    """Whether TensorFlow can compile for this machine's only device, its CPU.

    Beside an accelerator Keras has whole steps compiled where that is possible, and some, such as Apple's, know no XLA.
    """
    if not has_only_a_cpu():
        return False
    try:
        with tf.init_scope():
            tf.function(tf.negative, jit_compile=True)(tf.zeros(()))
    except (tf.errors.OpError, ValueError):
        return False
    return True


@_in_one_pass
def _gelu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.gelu(x, approximate=False)


@_in_one_pass
def _gelu_gradient(x: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    probability = 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5))
    density = tf.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return upstream * (probability + x * density)


@_in_one_pass
def _sum(*maps: tf.Tensor) -> tf.Tensor:
    return sum(maps[1:], maps[0])


@_in_one_pass
def _normalize(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Layer norm, the mean, and the reciprocal of the standard deviation, `(B, H, W, 1)` both."""
    mean = _mean(x)
    deviation = x - mean
    scale = tf.math.rsqrt(_mean(deviation * deviation) + epsilon)
    return deviation * (scale * gamma) + beta, mean, scale


@_in_one_pass
def _times_normalized(upstream: tf.Tensor, x: tf.Tensor, mean: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    return upstream * ((x - mean) * scale)


@_in_one_pass
def _normalize_gradient(
    upstream: tf.Tensor,
    x: tf.Tensor,
    mean: tf.Tensor,
    scale: tf.Tensor,
    gamma: tf.Tensor,
    mean_gradient: tf.Tensor,
    mean_product: tf.Tensor,
) -> tf.Tensor:
    return scale * (upstream * gamma - mean_gradient - (x - mean) * scale * mean_product)


@_in_one_pass
def _softmax_gradient(upstream: tf.Tensor, weights: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
    return weights * (upstream - total)


@_in_one_pass
def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The losses, and the logarithm of the sum of exponentials, `(B, H, W)` both.

    Class by class, `(B, H, W)` each, since XLA computes reductions over a short last axis number by number.
    """
    maps = tf.unstack(logits, axis=-1)
    largest = functools.reduce(tf.maximum, maps)
    normalizer = tf.math.log(sum(tf.exp(each - largest) for each in maps)) + largest
    true_logit = sum(tf.where(labels == index, each, 0.0) for index, each in enumerate(maps))
    return normalizer - true_logit, normalizer


@_in_one_pass
def _cross_entropy_gradient(
    logits: tf.Tensor, labels: tf.Tensor, normalizer: tf.Tensor, upstream: tf.Tensor
) -> tf.Tensor:
    truth = tf.one_hot(labels, logits.shape[-1])
    return upstream[..., None] * (tf.exp(logits - normalizer[..., None]) - truth)


@functools.cache
def _enlarging_gradient(axis: int, factor: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """The gradient of a bilinear resize along one axis, from the size that is `factor` times as long.

    Pixel `i` becomes the pixels `factor i + p`, which lie `(p + .5) / factor - .5` beside its centre. As far as one is
    to the left it is made of pixel `i - 1`, as far as to the right of `i + 1`, and of `i` for the rest. Beyond the
    border there is the outermost pixel again.
    """
    offsets = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]

    @_in_one_pass
    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        batch, *lengths = upstream.shape
        lengths[axis - 1 : axis] = [lengths[axis - 1] // factor, factor]
        phases = tf.unstack(tf.reshape(upstream, (-1 if batch is None else batch, *lengths)), axis=axis + 1)
        same = sum((1 - abs(offset)) * each for offset, each in zip(offsets, phases, strict=True))
        before = sum(max(-offset, 0) * each for offset, each in zip(offsets, phases, strict=True))
        after = sum(max(offset, 0) * each for offset, each in zip(offsets, phases, strict=True))
        first, last = [slice(None)] * axis + [slice(1)], [slice(None)] * axis + [slice(-1, None)]
        tail, body = [slice(None)] * axis + [slice(1, None)], [slice(None)] * axis + [slice(-1)]
        from_next = tf.concat([before[tail], after[last]], axis)
        from_previous = tf.concat([before[first], after[body]], axis)
        return same + from_next + from_previous

    return gradient
