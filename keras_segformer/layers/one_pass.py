"""Functions of maps that XLA compiles into one pass each, for training on TensorFlow without an accelerator.

TensorFlow alone goes over the maps once per operation. Where XLA is not to be had, or not to compile, the same
functions are TensorFlow's operations. Maps, their upstream gradients and what is returned are `(B, H, W, C)`, scores of
attention `(B, heads, N, M)`, labels `(B, H, W)`; `keras_segformer.layers.tensorflow_training` makes gradients of them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_segformer.layers.replicas import num_replicas
from keras_segformer.layers.training_backend import has_only_a_cpu

Tensors = tf.Tensor | Sequence[tf.Tensor]


def _in_one_pass(function: Callable[..., Tensors]) -> Callable[..., Tensors]:
    """A function, element by element but for sums over few channels, in one pass over maps where XLA can compile it."""

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
def gelu(x: tf.Tensor) -> tf.Tensor:
    """The exact GELU, `x P(X <= x)` of a normal variable."""
    return tf.nn.gelu(x, approximate=False)


@_in_one_pass
def gelu_gradient(x: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    """The gradient of `gelu` by `x`: the probability, plus `x` times the density."""
    probability = 0.5 + 0.5 * tf.math.erf(x * math.sqrt(0.5))
    density = tf.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    return upstream * (probability + x * density)


@_in_one_pass
def add(*maps: tf.Tensor) -> tf.Tensor:
    """The sum of maps of one shape."""
    return sum(maps[1:], maps[0])


@_in_one_pass
def normalize(
    x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Layer norm of `(B, H, W, C)`, the mean, and the reciprocal of the standard deviation, `(B, H, W, 1)` both."""
    mean = _mean(x)
    deviation = x - mean
    scale = tf.math.rsqrt(_mean(deviation * deviation) + epsilon)
    return deviation * (scale * gamma) + beta, mean, scale


@_in_one_pass
def times_normalized(upstream: tf.Tensor, x: tf.Tensor, mean: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """The upstream gradient times the normalised map, `(B, H, W, C)`."""
    return upstream * ((x - mean) * scale)


@_in_one_pass
def normalize_gradient(
    upstream: tf.Tensor,
    x: tf.Tensor,
    mean: tf.Tensor,
    scale: tf.Tensor,
    gamma: tf.Tensor,
    mean_gradient: tf.Tensor,
    mean_product: tf.Tensor,
) -> tf.Tensor:
    """The gradient of `normalize` by `x`.

    Given the means over the channels of the upstream gradient times `gamma`, and of that times the normalised map.
    """
    return scale * (upstream * gamma - mean_gradient - (x - mean) * scale * mean_product)


@_in_one_pass
def softmax_gradient(upstream: tf.Tensor, weights: tf.Tensor, total: tf.Tensor) -> tf.Tensor:
    """The gradient of a softmax by its input, given the sum of its outputs times their gradients."""
    return weights * (upstream - total)


@_in_one_pass
def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The losses, and the logarithm of the sum of exponentials, `(B, H, W)` both.

    Class by class, `(B, H, W)` each, since XLA computes reductions over a short last axis number by number.
    """
    maps = tf.unstack(logits, axis=-1)
    largest = functools.reduce(tf.maximum, maps)
    normalizer = tf.math.log(sum(tf.exp(each - largest) for each in maps)) + largest
    true_logit = sum(tf.where(labels == index, each, 0.0) for index, each in enumerate(maps))
    return normalizer - true_logit, normalizer


@_in_one_pass
def cross_entropy_gradient(
    logits: tf.Tensor, labels: tf.Tensor, normalizer: tf.Tensor, upstream: tf.Tensor
) -> tf.Tensor:
    """The gradient of the losses of `cross_entropy` by the logits: probabilities without the truth."""
    truth = tf.one_hot(labels, logits.shape[-1])
    return upstream[..., None] * (tf.exp(logits - normalizer[..., None]) - truth)


@functools.cache
def enlarging_gradient(axis: int, factor: int) -> Callable[[tf.Tensor], tf.Tensor]:
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


def _mean(x: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(x, axis=-1, keepdims=True)
