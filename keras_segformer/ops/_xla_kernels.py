"""Kernels that XLA compiles into one pass over the maps each, for training on TensorFlow without an accelerator.

TensorFlow alone passes over the maps once per operation. Where XLA is not available, or sizes are unknown, the same
functions run as TensorFlow's operations. `_tensorflow_gradients` builds gradients from them. Maps, their upstream
gradients and results are `(B, H, W, C)`, attention scores `(B, heads, N, M)`, labels `(B, H, W)`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_segformer.ops._dispatch import has_only_a_cpu
from keras_segformer.ops.replicas import num_replicas

Tensors = tf.Tensor | Sequence[tf.Tensor]


def _xla_kernel(function: Callable[..., Tensors]) -> Callable[..., Tensors]:
    """Has XLA compile a function where it can: an elementwise one, or one that also sums over few channels."""

    @functools.cache
    def compiled(*signature: tf.TensorSpec) -> Callable[..., Tensors]:
        return tf.function(function, signature, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def call(*tensors: tf.Tensor) -> Tensors:
        if not fits_xla(*tensors):
            return function(*tensors)
        return compiled(*(tf.TensorSpec(x.shape, x.dtype) for x in tensors))(*tensors)

    return call


def fits_xla(*tensors: tf.Tensor) -> bool:
    """Returns True if kernels for these tensors are compiled: sizes are known, there is one replica, and XLA runs.

    XLA compiles once per size, which does not pay if sizes keep changing.
    """
    return all(x.shape[1:].is_fully_defined() for x in tensors) and num_replicas() == 1 and _xla_runs()


@functools.cache
def _xla_runs() -> bool:
    """Returns True if TensorFlow can compile for the CPU, and the machine has no other device.

    With an accelerator Keras compiles whole steps where possible, and some accelerators, such as Apple's, have no XLA.
    """
    if not has_only_a_cpu():
        return False
    try:
        with tf.init_scope():
            tf.function(tf.negative, jit_compile=True)(tf.zeros(()))
    except (tf.errors.OpError, ValueError):
        return False
    return True


@_xla_kernel
def gelu(x: tf.Tensor) -> tf.Tensor:
    """Computes the exact GELU, `x P(X <= x)` for a standard normal `X`."""
    return tf.nn.gelu(x, approximate=False)


@_xla_kernel
def gelu_gradient(x: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    """Computes the gradient of `gelu`: upstream times `P(X <= x)` plus `x` times the density."""
    probability = 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5))
    density = tf.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return upstream * (probability + x * density)


@_xla_kernel
def add(*maps: tf.Tensor) -> tf.Tensor:
    """Adds maps of one shape."""
    return sum(maps[1:], maps[0])


@_xla_kernel
def layer_norm(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the layer norm `(B, H, W, C)`, and mean and reciprocal standard deviation, `(B, H, W, 1)` each."""
    mean = _mean(x)
    deviation = x - mean
    scale = tf.math.rsqrt(_mean(deviation * deviation) + epsilon)
    return deviation * (scale * gamma) + beta, mean, scale


@_xla_kernel
def times_normalized(upstream: tf.Tensor, x: tf.Tensor, mean: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """Multiplies the upstream gradient by the normalised map, `(B, H, W, C)`."""
    return upstream * ((x - mean) * scale)


@_xla_kernel
def layer_norm_gradient(
    upstream: tf.Tensor,
    x: tf.Tensor,
    mean: tf.Tensor,
    scale: tf.Tensor,
    gamma: tf.Tensor,
    mean_gradient: tf.Tensor,
    mean_product: tf.Tensor,
) -> tf.Tensor:
    """Computes the gradient of `layer_norm` with respect to `x`.

    `mean_gradient` is the mean over the channels of upstream times `gamma`, `mean_product` that of the former times the
    normalised map; both are `(B, H, W, 1)`.
    """
    return scale * (upstream * gamma - mean_gradient - (x - mean) * scale * mean_product)


@_xla_kernel
def softmax_gradient(upstream: tf.Tensor, weights: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
    """Computes the gradient of a softmax, given the sum of its outputs times their gradients, `(B, heads, N, 1)`."""
    return weights * (upstream - total)


@_xla_kernel
def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the losses, and the logarithm of the sum of exponentials, `(B, H, W)` each.

    It proceeds class by class, since XLA computes reductions over a short last axis one number at a time.
    """
    maps = tf.unstack(logits, axis=-1)
    largest = functools.reduce(tf.maximum, maps)
    normalizer = tf.math.log(sum(tf.exp(each - largest) for each in maps)) + largest
    true_logit = sum(tf.where(labels == index, each, 0.0) for index, each in enumerate(maps))
    return normalizer - true_logit, normalizer


@_xla_kernel
def cross_entropy_gradient(
    logits: tf.Tensor, labels: tf.Tensor, normalizer: tf.Tensor, upstream: tf.Tensor
) -> tf.Tensor:
    """Computes the gradient of `cross_entropy` with respect to the logits: `softmax - one-hot labels`."""
    truth = tf.one_hot(labels, logits.shape[-1])
    return upstream[..., None] * (tf.exp(logits - normalizer[..., None]) - truth)


@functools.cache
def enlarging_gradient(axis: int, factor: int) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns the gradient of a bilinear enlargement of one axis by an integer factor.

    Pixel `i` becomes the pixels `factor i + p` with `0 <= p < factor`, whose centres lie at an offset of
    `(p + .5) / factor - .5` from its own. With a negative offset `d`, such a pixel is a mixture of `1 + d` of pixel `i`
    and `-d` of pixel `i - 1`; with a positive one, of `1 - d` of pixel `i` and `d` of pixel `i + 1`. At the border, the
    outermost pixel is its own neighbour.
    """
    offsets = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]

    @_xla_kernel
    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        batch, *lengths = upstream.shape
        lengths[axis - 1 : axis] = [lengths[axis - 1] // factor, factor]
        split = tf.reshape(upstream, (-1 if batch is None else batch, *lengths))  # the axis as (length, factor)
        phases = tf.unstack(split, axis=axis + 1)
        same = sum((1 - abs(offset)) * each for offset, each in zip(offsets, phases, strict=True))
        before = sum(max(-offset, 0) * each for offset, each in zip(offsets, phases, strict=True))
        after = sum(max(offset, 0) * each for offset, each in zip(offsets, phases, strict=True))
        first, last = [slice(None)] * axis + [slice(1)], [slice(None)] * axis + [slice(-1, None)]
        tail, body = [slice(None)] * axis + [slice(1, None)], [slice(None)] * axis + [slice(-1)]
        from_next = tf.concat([before[tail], after[last]], axis)
        from_previous = tf.concat([before[first], after[body]], axis)
        return same + from_next + from_previous

    return gradient


def _mean(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(x, axis=-1, keepdims=True)
