"""How long a layer takes in every form, measured alone."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from keras_segformer.runtime import TFLiteRunner

from ..tflite.export import export
from .layers import Layer
from .quantization_recipe import Form, Recipe
from .quantizer import FloatFile
from .statistics import Statistics

_NAME = "decoder/classifier"  # as the last layer of a file is called
_SECONDS = 0.03
_MIN_RUNS = 5
Shape = tuple[int, ...]


def layer_seconds(layer: Layer, form: Form) -> float:
    """Measure how long a layer takes on one thread of this machine, with what turns its inputs into integers and back.

    Args:
        layer: The layer; of several runs of rows, their sum.
        form: How it computes.

    Returns:
        Seconds, the least of some runs.
    """
    return sum(
        _seconds(layer.operator, node.inputs[0].shape, node.inputs[1].shape, node.options.get("strideH", 1), form)
        for node in layer.nodes
    )


@functools.cache  # B5 has hundreds of layers, but few shapes
def _seconds(operator: str, first: Shape, second: Shape, stride: int, form: Form) -> float:
    file = _file(operator, first, second, stride)
    recipe = Recipe(layers={_NAME: form}, rounding="nearest")
    runner = TFLiteRunner(file.quantize(recipe), num_threads=1)
    runner.set_inputs(*(np.full(each.shape, 0.5, np.float32) for each in runner.inputs))
    runner.invoke()
    seconds: list[float] = []
    while sum(seconds) < _SECONDS or len(seconds) < _MIN_RUNS:
        seconds.append(runner.invoke())
    return min(seconds)  # what else runs on the machine only adds to it


@functools.lru_cache(maxsize=1)
def _file(operator: str, first: Shape, second: Shape, stride: int) -> FloatFile:
    content = export(_function(operator, first, second, stride), "float32")
    file = FloatFile(content)
    names = [tensor.name for tensor in file.file.tensors if not tensor.constant]
    values = {name: np.linspace(-1, 1, 100, dtype=np.float32) for name in names}
    return FloatFile(content, Statistics(products={}, values=values))


def _function(operator: str, first: Shape, second: Shape, stride: int) -> tf.types.experimental.ConcreteFunction:
    generator = np.random.default_rng(0)

    def compute(x: tf.Tensor) -> tf.Tensor:
        with tf.name_scope(_NAME):
            if operator == "CONV_2D":
                kernel = generator.normal(size=(*second[1:], second[0]))  # TensorFlow has the outputs last
                return tf.nn.conv2d(x, tf.constant(kernel, tf.float32), stride, "VALID") + tf.ones(second[0])
            kernel = generator.normal(size=(*second[1:], 1))
            return tf.nn.depthwise_conv2d(x, tf.constant(kernel, tf.float32), (1, 1, 1, 1), "SAME") + tf.ones(second[3])

    specification = tf.TensorSpec(first, tf.float32)
    return tf.function(lambda x: {"outputs": compute(x)}, autograph=False).get_concrete_function(specification)
