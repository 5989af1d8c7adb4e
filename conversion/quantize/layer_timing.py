"""Measures how long a single layer takes in each quantisation mode."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from keras_segformer.runtime import TFLiteRunner

from ..graph.builder import GraphBuilder
from ..graph.network import Convolution, DepthwiseConvolution
from ..graph.tiles import UNTILED
from ..graph.trace import trace_layers
from ..tflite.export import export
from .file_layers import FileLayer
from .float_file import FloatFile
from .quantization_recipe import QuantizationMode, QuantizationRecipe
from .statistics import Statistics

# The layer is run for at least so many seconds and so often.
_MIN_SECONDS = 0.03
_MIN_RUNS = 5
Shape = tuple[int, ...]


def layer_seconds(layer: FileLayer, mode: QuantizationMode) -> float:
    """Measure how long a layer takes on one thread of this machine, including the conversion to integers and back.

    Args:
        layer: The layer. The times of its row tiles are added.
        mode: Its quantisation mode.

    Returns:
        Seconds, the minimum of several runs.
    """
    return sum(
        _seconds(layer.operator, node.inputs[0].shape, node.inputs[1].shape, node.options.get("strideH", 1), mode)
        for node in layer.nodes
    )


@functools.cache  # B5 has hundreds of layers, but only few different shapes
def _seconds(operator: str, input_shape: Shape, kernel_shape: Shape, stride: int, mode: QuantizationMode) -> float:
    file = _single_layer_file(operator, input_shape, kernel_shape, stride)
    recipe = QuantizationRecipe(layers=dict.fromkeys(file.layers, mode), rounding="nearest")
    runner = TFLiteRunner(file.quantize(recipe), num_threads=1)
    runner.set_inputs(*(np.full(each.shape, 0.5, np.float32) for each in runner.inputs))
    runner.invoke()
    seconds: list[float] = []
    while sum(seconds) < _MIN_SECONDS or len(seconds) < _MIN_RUNS:
        seconds.append(runner.invoke())
    return min(seconds)  # other processes on the machine can only add to it


@functools.lru_cache(maxsize=1)  # the modes of a layer are measured one after the other
def _single_layer_file(operator: str, input_shape: Shape, kernel_shape: Shape, stride: int) -> FloatFile:
    layer, builder = _random_layer(operator, kernel_shape, stride), GraphBuilder(UNTILED)
    specification = tf.TensorSpec(input_shape, tf.float32)
    traced = trace_layers(lambda x: {"outputs": builder.apply(x, layer)}, specification, builder)
    file = FloatFile(export(traced.function, "float32"), traced.layers)
    names = [tensor.name for tensor in file.file.tensors if not tensor.constant]
    values = {name: np.linspace(-1, 1, 100, dtype=np.float32) for name in names}
    return file.with_statistics(Statistics(gram_matrices={}, values=values))


def _random_layer(operator: str, kernel_shape: Shape, stride: int) -> Convolution | DepthwiseConvolution:
    generator = np.random.default_rng(0)
    place = {"block": "timing", "role": "layer"}
    if operator == "CONV_2D":
        outputs, *rest = kernel_shape
        kernel = generator.normal(size=(*rest, outputs))  # TensorFlow has the output channels last
        return Convolution(**place, kernel=kernel, bias=np.ones(outputs), stride=stride)
    kernel = generator.normal(size=(*kernel_shape[1:], 1))
    return DepthwiseConvolution(**place, kernel=kernel, bias=np.ones(kernel_shape[-1]))
