"""Quantisation-aware fine-tuning: trains weights such that rounding them changes the outputs little.

The folded network is trained with its weights rounded as in the file, while gradients are passed on as if they were not
rounded (straight-through estimator). The target is the logits of the float network, so no labels are needed. The
trained network is exported as usual, so the file has the same operations as without training, and its weights are
rounded to the nearest integers.

This pays off where rounding alone is inaccurate: with 4-bit weights, or one scale for a whole tensor.

Source: Jacob et al., arXiv 1712.05877, section 3; the logits as the target follow Hinton et al., arXiv 1503.02531.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ..graph.builder import GraphBuilder
from ..graph.decoder import decode
from ..graph.encoder import encode
from ..graph.network import Convolution, Linear, Network, map_layers
from ..graph.operations import join_rows
from ..graph.tiles import UNTILED
from ..progress import Progress, silent
from .quantization_recipe import QuantizationRecipe

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8  # Adam's usual values


class _Weights(NamedTuple):
    """The weights of a layer in training."""

    kernel: tf.Variable
    bias: tf.Variable


def fine_tune(
    network: Network,
    recipe: QuantizationRecipe,
    images: np.ndarray,
    steps: int = 200,
    learning_rate: float = 1e-4,
    progress: Progress = silent,
) -> Network:
    """Train the weights of the layers that a recipe quantises.

    Args:
        network: The folded network.
        recipe: Which layers are quantised, to how many bits, and whether per channel.
        images: `(images, height, width, 3)`, uint8. One image is used per step.
        steps: Number of training steps.
        learning_rate: Initial learning rate of Adam; it decays to 0 along a cosine.
        progress: Called with progress updates.

    Returns:
        The network with the trained weights, to be quantised with the rounding `"nearest"`.

    Raises:
        ValueError: There are no images, or no layer is quantised.

    Example:

    ```python
    tuned = fine_tune(network, recipe, images)
    traced = trace_network(tuned, (512, 512))
    content = FloatFile(export(traced.function, "float32"), traced.layers).quantize(recipe)
    ```
    """
    weights = _trainable_weights(network, recipe)
    if not weights or not len(images):
        raise ValueError("There is nothing to train; pass images and a recipe that quantises at least one layer.")
    train_step = _make_train_step(network, recipe, weights, images.shape[1:])
    generator = np.random.default_rng(0)
    advance = progress("Fine-tuning", steps)
    for step in range(steps):
        rate = learning_rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        image = images[generator.integers(len(images))]
        train_step(tf.constant(image[None], tf.float32), tf.constant(rate, tf.float32), tf.constant(step + 1.0))
        advance()
    arrays = {
        name: (kernel.numpy().astype(np.float64), bias.numpy().astype(np.float64))
        for name, (kernel, bias) in weights.items()
    }
    return _with_weights(network, arrays)


def _trainable_weights(network: Network, recipe: QuantizationRecipe) -> dict[str, _Weights]:
    """Variables for kernel and bias of each layer that is quantised."""
    weights: dict[str, _Weights] = {}

    def add(layer: Linear | Convolution) -> Linear | Convolution:
        if recipe.layers.get(layer.name, "float") != "float":
            kernel, bias = (tf.Variable(each, dtype=tf.float32) for each in (layer.kernel, layer.bias))
            weights[layer.name] = _Weights(kernel, bias)
        return layer

    map_layers(network, add)
    return weights


def _with_weights(network: Network, weights: Mapping[str, tuple[np.ndarray | tf.Tensor, ...]]) -> Network:
    """The network with other kernels and biases, given by the names of the layers."""

    def replace(layer: Linear | Convolution) -> Linear | Convolution:
        if layer.name not in weights:
            return layer
        kernel, bias = weights[layer.name]
        return dataclasses.replace(layer, kernel=kernel, bias=bias)

    return map_layers(network, replace)


def _make_train_step(
    network: Network, recipe: QuantizationRecipe, weights: Mapping[str, _Weights], image_shape: tuple[int, ...]
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], None]:
    """A function of an image `(1, height, width, 3)`, the learning rate, and the number of the step, counted from 1."""
    variables = [variable for pair in weights.values() for variable in pair]
    moments = [(tf.Variable(tf.zeros_like(each)), tf.Variable(tf.zeros_like(each))) for each in variables]
    number = tf.TensorSpec((), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, *image_shape), tf.float32), number, number], autograph=False)
    def train_step(image: tf.Tensor, rate: tf.Tensor, count: tf.Tensor) -> None:
        expected = _logits(image, network)
        with tf.GradientTape() as tape:
            quantized = {
                name: (_fake_quantize(kernel, recipe), tf.convert_to_tensor(bias))
                for name, (kernel, bias) in weights.items()
            }
            difference = tf.reduce_mean(tf.square(_logits(image, _with_weights(network, quantized)) - expected))
            loss = difference / tf.math.reduce_variance(expected)
        gradients = tape.gradient(loss, variables)
        for variable, gradient, (first, second) in zip(variables, gradients, moments, strict=True):
            if gradient is not None:  # it is for layers that the decoder does not read
                _apply_adam(variable, gradient, first, second, rate, count)

    return train_step


def _apply_adam(
    variable: tf.Variable,
    gradient: tf.Tensor,
    first: tf.Variable,
    second: tf.Variable,
    rate: tf.Tensor,
    count: tf.Tensor,
) -> None:
    # TensorFlow's own operation, because the optimizers of Keras need variables of its backend, which may be another.
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=first.handle,
        v=second.handle,
        beta1_power=tf.pow(_BETA1, count),
        beta2_power=tf.pow(_BETA2, count),
        lr=rate,
        beta1=_BETA1,
        beta2=_BETA2,
        epsilon=_EPSILON,
        grad=gradient,
    )


def _logits(image: tf.Tensor, network: Network) -> tf.Tensor:
    builder = GraphBuilder(UNTILED)
    return join_rows(decode(encode(image, network, builder), network.decoder, builder))


def _fake_quantize(kernel: tf.Variable, recipe: QuantizationRecipe) -> tf.Tensor:
    """The kernel with the values that it will have in the file. The last axis is that of the output channels."""
    weights = tf.convert_to_tensor(kernel)
    axes = list(range(weights.shape.rank - 1)) if recipe.per_channel else None
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(weights), axis=axes, keepdims=True))
    scale = tf.maximum(largest, np.finfo(np.float32).tiny) / (2 ** (recipe.bits - 1) - 1)
    rounded = tf.round(weights / scale) * scale
    return weights + tf.stop_gradient(rounded - weights)
