"""Quantises a whole network to INT8, inputs and outputs included."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from keras_segformer.runtime.border import Border

from ..graph.network import Network
from ..graph.tiles import UNTILED
from ..graph.trace import trace_network
from ..options import ConversionOptions
from ..tflite.reorder import reorder_for_memory
from ..tflite.writer import pack, unpack
from .network import border_of, for_microcontroller, tiling_for


def export_for_microcontrollers(network: Network, options: ConversionOptions, pictures: np.ndarray) -> bytes:
    """Write a network as a file of integer operations that needs as little memory as possible.

    Args:
        network: The folded network, which `check_network` accepts.
        options: The size, the output, the runtime, and whether to compute in strips.
        pictures: The calibration pictures, `(pictures, height, width, 3)`, uint8, of the input size.

    Returns:
        The file.
    """
    border = border_of(network, options.input_size)
    tiling = tiling_for(network, options.input_size, options.runtime) if options.tiles else UNTILED
    rewritten = for_microcontroller(network, options.runtime)
    traced = trace_network(rewritten, border.padded_size(options.input_size), "float32", options.output, tiling)
    return _quantized(traced.function, pictures, border)


def _quantized(function: tf.types.experimental.ConcreteFunction, pictures: np.ndarray, border: Border) -> bytes:
    """Convert a function to a file of integer operations, by the ranges of its tensors on some pictures.

    The input is INT8 with the scale 1 and the zero point -128: a byte of the picture minus 128.

    Args:
        function: A function of one picture with its border, float32 in 0..255.
        pictures: The calibration pictures, `(pictures, height, width, 3)`, uint8, without border.
        border: The border.

    Returns:
        The file, without the names of inner tensors, in the order that needs the least memory.
    """

    def examples() -> Iterator[list[np.ndarray]]:
        for picture in pictures:
            padded = border.around(picture).astype(np.float32)
            # The range of the input has to be that of bytes; two pixels do not matter for any other range.
            padded[-1, -1], padded[-1, -2] = 0, 255
            yield [padded[None]]

    # The second argument owns the function's variables; it has none.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = examples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    is_logits = function.outputs[0].dtype.is_floating
    converter.inference_output_type = tf.int8 if is_logits else tf.float32  # labels keep their type
    return _without_names(reorder_for_memory(converter.convert()))


def _without_names(content: bytes) -> bytes:
    """The file with the names of inputs and outputs alone: the others take up to a tenth of its size."""
    model = unpack(content)
    [graph] = model.subgraphs
    named = {*map(int, graph.inputs), *map(int, graph.outputs)}
    for index, tensor in enumerate(graph.tensors):
        if index not in named:
            tensor.name = ""
    return pack(model)
