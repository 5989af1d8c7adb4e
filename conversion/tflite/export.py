"""Exporting an inference function as a TF Lite file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from keras_segformer.quiet import is_program, without_standard_error

from .reorder import reorder_for_memory

Precision = Literal["float32", "float16", "dynamic"]


def export(function: tf.types.experimental.ConcreteFunction, precision: Precision) -> bytes:
    """Convert a function whose weights are constants.

    Args:
        function: The result of `inference_function`.
        precision: A key of `PRECISIONS`.

    Returns:
        A TF Lite file of built-in operations, with a signature, in the order that needs the least memory.

    Raises:
        ValueError: TF Lite does not have one of its operations, or not for shapes that are not known.
    """
    # The second argument owns the function's variables; it has none.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    PRECISIONS[precision](converter)
    # The converter writes hundreds of lines about an operation that TF Lite lacks.
    quiet = without_standard_error() if is_program() else contextlib.nullcontext()
    try:
        with quiet:
            content = converter.convert()
    except ConverterError as error:
        raise ValueError(_refusal(error)) from error
    return reorder_for_memory(content)


def _refusal(error: ConverterError) -> str:
    names = sorted({each.operator.name.removeprefix("tf.") for each in error.errors if each.operator.name})
    named = f" ({', '.join(names)})" if names else ""
    return (
        f"The network has operations that TF Lite does not have, or not for every size{named}; convert it for one "
        "size, replace the layers of the backbone that compute them, or export a SavedModel."
    )


def _keep_float32(converter: tf.lite.TFLiteConverter) -> None:
    converter.optimizations = []


def _store_float16(converter: tf.lite.TFLiteConverter) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]


def _store_int8(converter: tf.lite.TFLiteConverter) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]


PRECISIONS: Mapping[str, Callable[[tf.lite.TFLiteConverter], None]] = MappingProxyType(
    {"float32": _keep_float32, "float16": _store_float16, "dynamic": _store_int8}
)
"""How to configure the converter, by the name of a precision.

`float16` halves the size of the weights; CPUs still compute in float32, GPUs in float16. `dynamic` stores INT8 weights
and is for encoders whose layers are not known; other networks are quantised in `quantize`.
"""
