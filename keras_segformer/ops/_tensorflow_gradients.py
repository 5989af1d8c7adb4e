"""Functions for training on TensorFlow with hand-written gradients.

They compute the same as the plain operations. Automatic differentiation of those passes over the maps many times, one
operation after the other, and most of the work of a network of this size is bound by memory bandwidth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from keras_segformer.ops import _xla_kernels

Gradient = Callable[..., Sequence[tf.Tensor]]


def linear_map(x: tf.Tensor, kernel: keras.Variable, bias: keras.Variable) -> tf.Tensor:
    """Computes a 1x1 convolution whose gradients are matrix products, a quarter faster than those of convolutions.

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


def layer_norm(x: tf.Tensor, gamma: keras.Variable, beta: keras.Variable, epsilon: float) -> tf.Tensor:
    """Computes layer norm over the channels.

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

    >>> layer_norm(tf.ones((1, 4, 6, 3)), tf.ones(3), tf.zeros(3), 1e-6).shape
    TensorShape([1, 4, 6, 3])
    """

    @tf.custom_gradient
    def function(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        output, mean, scale = _xla_kernels.layer_norm(x, gamma, beta, tf.constant(epsilon, x.dtype))

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            by_gamma = _xla_kernels.times_normalized(upstream, x, mean, scale)
            average = gamma[:, None] / x.shape[-1]  # (C, 1)
            means = [tf.reshape(tf.matmul(_rows(each), average), tf.shape(mean)) for each in (upstream, by_gamma)]
            by_input = _xla_kernels.layer_norm_gradient(upstream, x, mean, scale, gamma, *means)
            return by_input, sum_over_positions(by_gamma), sum_over_positions(upstream)

        return output, gradient

    return function(x, *_read(gamma, beta))


@tf.custom_gradient
def attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    """Computes `softmax(query key) value`.

    The gradient of the softmax needs, per query, the sum over all keys of the weights times their gradients. That sum
    equals the product of the output with the upstream gradient, summed over the channels of the head, which are fewer.

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
        by_scores = _xla_kernels.softmax_gradient(
            by_weights, weights, tf.reduce_sum(upstream * mixture, axis=-1, keepdims=True)
        )
        by_query = tf.matmul(by_scores, key, transpose_b=True)
        by_key = tf.matmul(query, by_scores, transpose_a=True)
        return by_query, by_key, tf.linalg.matrix_transpose(by_value)

    return mixture, gradient


@tf.custom_gradient
def gelu(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
    """Computes the exact GELU, `x P(X <= x)` for a standard normal `X`, of `(B, H, W, C)`.

    Example:

    >>> gelu(tf.zeros((1, 4, 6, 3))).shape
    TensorShape([1, 4, 6, 3])
    """
    return _xla_kernels.gelu(x), lambda upstream: _xla_kernels.gelu_gradient(x, upstream)


def add(maps: Sequence[tf.Tensor]) -> tf.Tensor:
    """Adds maps `(B, H, W, C)`.

    Example:

    >>> add([tf.ones((1, 4, 6, 3))] * 4).shape
    TensorShape([1, 4, 6, 3])
    """

    @tf.custom_gradient
    def function(*maps: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        return _xla_kernels.add(*maps), lambda upstream: [upstream] * len(maps)

    return function(*maps)


def resize_bilinear(x: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Resizes bilinearly with half-pixel centres; TensorFlow computes the gradient of its own resize on one core.

    Args:
        x: `(B, h, w, C)`.
        size: Target `(height, width)` in pixels. The gradient is the hand-written one if they are multiples of the
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
    if not (all(factors) and _xla_kernels.fits_xla(x)):
        return tf.image.resize(x, size)

    @tf.custom_gradient
    def function(x: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return _xla_kernels.enlarging_gradient(2, factors[1])(
                _xla_kernels.enlarging_gradient(1, factors[0])(upstream)
            )

        return tf.image.resize(x, size), gradient

    return function(x)


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Computes the cross-entropy of every pixel.

    Args:
        labels: `(B, H, W)`, int32.
        logits: `(B, H, W, classes)`.

    Returns:
        `(B, H, W)`.

    Raises:
        tensorflow.errors.InvalidArgumentError: A label is not a class.

    Example:

    >>> round(float(tf.reduce_mean(cross_entropy(tf.zeros((1, 4, 6), "int32"), tf.zeros((1, 4, 6, 2))))), 3)
    0.693
    """
    classes = logits.shape[-1]
    message = f"A mask holds a label that is not among the {classes} classes of the model, nor the one that is ignored."
    in_range = [tf.debugging.assert_less(labels, classes, message), tf.debugging.assert_non_negative(labels, message)]

    @tf.custom_gradient
    def function(logits: tf.Tensor) -> tuple[tf.Tensor, Gradient]:
        losses, normalizer = _xla_kernels.cross_entropy(labels, logits)
        return losses, lambda upstream: _xla_kernels.cross_entropy_gradient(logits, labels, normalizer, upstream)

    # Inside a `tf.function` there is nothing to wait for: the checks run by themselves.
    with tf.control_dependencies([check for check in in_range if check is not None]):
        if not _xla_kernels.fits_xla(labels, logits):
            return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        return function(logits)


def sum_over_positions(x: tf.Tensor) -> tf.Tensor:
    """Sums `(B, H, W, C)` per channel, `(C,)`, as a product with ones: TensorFlow's reduction is slower.

    Example:

    >>> sum_over_positions(tf.ones((1, 4, 6, 3))).numpy().tolist()
    [24.0, 24.0, 24.0]
    """
    rows = _rows(x)
    return tf.matmul(tf.ones((1, tf.shape(rows)[0])), rows)[0]


def batch_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: float) -> tuple[tf.Tensor, ...]:
    """Normalises by the statistics of the batch with TensorFlow's fused operation, whose gradient is fused as well.

    Args:
        x: `(B, H, W, C)`.
        gamma: `(C,)`.
        beta: `(C,)`.
        epsilon: Added to the variance.

    Returns:
        The normalised map `(B, H, W, C)`; the means `(C,)`; the biased variances `(C,)`.

    Example:

    >>> [each.shape.rank for each in batch_norm(tf.ones((1, 4, 6, 3)), tf.ones(3), tf.zeros(3), 1e-5)]
    [4, 1, 1]
    """
    # Not `tf.compat.v1.nn.fused_batch_norm`, which raises epsilons below 1.001e-5.
    result = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=gamma, offset=beta, mean=tf.zeros(0), variance=tf.zeros(0), epsilon=epsilon, is_training=True
    )
    count = tf.cast(tf.size(x) // x.shape[-1], x.dtype)
    biased_variance = result.batch_variance * ((count - 1) / count)  # the operation returns the unbiased one
    return result.y, result.batch_mean, biased_variance


def _read(*variables: keras.Variable) -> list[tf.Tensor]:
    # `tf.custom_gradient` does not accept variables as arguments.
    return [tf.convert_to_tensor(variable) for variable in variables]


def _rows(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (-1, x.shape[-1]))  # (B * H * W, C)
