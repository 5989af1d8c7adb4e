"""Quantisation-aware fine-tuning: weights that are trained to be rounded.

The folded network is trained with its weights rounded to the grid of the file, while gradients pass as if they were not
(straight-through), so that its logits come close to those of the float network again. No labels are needed. What is
trained is what is exported, so the file has the same operations as without; its weights are rounded to the nearest.

It is worth its time where rounding alone loses much: 4-bit weights, or one scale for a whole tensor.

Source: Jacob et al., arXiv 1712.05877, section 3; the logits as the target follow Hinton et al., arXiv 1503.02531.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from ..graph.decoder import decode
from ..graph.encoder import encode
from ..graph.network import Convolution, Linear, Network, map_layers
from ..graph.primitives import join_rows
from ..graph.tiles import UNTILED
from ..progress import OnStep, silent
from .quantization_recipe import Recipe

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


def fine_tune(
    network: Network,
    recipe: Recipe,
    images: np.ndarray,
    steps: int = 200,
    learning_rate: float = 1e-4,
    on_step: OnStep = silent,
) -> Network:
    """Train the weights of the layers that a recipe quantises.

    Args:
        network: The network, folded.
        recipe: Which layers are quantised, to how many bits, and whether per channel.
        images: `(images, height, width, 3)`, uint8, shown one by one.
        steps: Number of images shown.
        learning_rate: Of Adam at the first step; it falls to 0 as a cosine.
        on_step: Told of the progress.

    Returns:
        The network with other weights, to be quantised with the rounding `"nearest"`.

    Raises:
        ValueError: There is no image, or no layer is quantised.

    Example:

    ```python
    tuned = fine_tune(network, recipe, images)
    content = FloatFile(export(inference_function(tuned, (512, 512)), "float32")).quantize(nearest)
    ```
    """
    variables = _variables(network, recipe)
    if not variables or not len(images):
        raise ValueError("There is nothing to train: name images and a recipe that quantises a layer.")
    step = _make_step(network, recipe, variables, images.shape[1:])
    order = np.random.default_rng(0)
    advance = on_step("Fine-tuning", steps)
    for index in range(steps):
        rate = learning_rate * 0.5 * (1 + math.cos(math.pi * index / steps))
        image = images[order.integers(len(images))]
        step(tf.constant(image[None], tf.float32), tf.constant(rate, tf.float32), tf.constant(index + 1.0))
        advance()
    return _with_weights(network, variables, lambda kernel: np.asarray(kernel, np.float64))


def _variables(network: Network, recipe: Recipe) -> dict[str, tuple[tf.Variable, tf.Variable]]:
    """Kernel and bias of every layer that is quantised."""
    found: dict[str, tuple[tf.Variable, tf.Variable]] = {}

    def add(name: str, layer: Linear | Convolution) -> Linear | Convolution:
        if recipe.layers.get(name, "float") != "float":
            found[name] = (tf.Variable(layer.kernel, dtype=tf.float32), tf.Variable(layer.bias, dtype=tf.float32))
        return layer

    map_layers(network, add)
    return found


def _with_weights(
    network: Network,
    variables: Mapping[str, tuple[tf.Variable, tf.Variable]],
    change: Callable[[tf.Variable], tf.Tensor | np.ndarray],
) -> Network:
    def replace(name: str, layer: Linear | Convolution) -> Linear | Convolution:
        if name not in variables:
            return layer
        kernel, bias = variables[name]
        bias = bias.numpy().astype(np.float64) if tf.executing_eagerly() else tf.convert_to_tensor(bias)
        return dataclasses.replace(layer, kernel=change(kernel), bias=bias)

    return map_layers(network, replace)


def _make_step(
    network: Network,
    recipe: Recipe,
    variables: Mapping[str, tuple[tf.Variable, tf.Variable]],
    image_shape: tuple[int, ...],
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], None]:
    trained = [variable for pair in variables.values() for variable in pair]
    moments = [(tf.Variable(tf.zeros_like(each)), tf.Variable(tf.zeros_like(each))) for each in trained]
    numbers = tf.TensorSpec((), tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, *image_shape), tf.float32), numbers, numbers], autograph=False)
    def step(image: tf.Tensor, rate: tf.Tensor, count: tf.Tensor) -> None:
        expected = _logits(image, network)
        with tf.GradientTape() as tape:
            rounded = _with_weights(network, variables, lambda kernel: _fake_quantize(kernel, recipe))
            difference = tf.reduce_mean(tf.square(_logits(image, rounded) - expected))
            loss = difference / tf.math.reduce_variance(expected)
        gradients = tape.gradient(loss, trained)
        for variable, gradient, (first, second) in zip(trained, gradients, moments, strict=True):
            if gradient is not None:  # of the stages that the decoder does not read
                _adam(variable, gradient, first, second, rate, count)

    return step


def _adam(
    variable: tf.Variable,
    gradient: tf.Tensor,
    first: tf.Variable,
    second: tf.Variable,
    rate: tf.Tensor,
    count: tf.Tensor,
) -> None:
    # TensorFlow's own operation: Keras' optimizers take the variables of its backend, which may be another.
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
    return join_rows(decode(encode(image, network, UNTILED), network.decoder, UNTILED))


def _fake_quantize(kernel: tf.Variable, recipe: Recipe) -> tf.Tensor:
    """The kernel as the file will hold it; the last axis is that of the outputs."""
    weights = tf.convert_to_tensor(kernel)
    axes = list(range(weights.shape.rank - 1)) if recipe.per_channel else None
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(weights), axis=axes, keepdims=True))
    scale = tf.maximum(largest, np.finfo(np.float32).tiny) / (2 ** (recipe.bits - 1) - 1)
    rounded = tf.round(weights / scale) * scale
    return weights + tf.stop_gradient(rounded - weights)
