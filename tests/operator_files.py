"""TF Lite files written operation by operation, and what TensorFlow's own tables say of them."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers

from keras_segformer.conversion.tflite.schema import schema

OPERATORS = {name: code for name, code in sorted(vars(schema.BuiltinOperator).items()) if isinstance(code, int)}
TYPES = tuple(name for name, code in vars(schema.TensorType).items() if isinstance(code, int))
LIBRARY = Path(importlib.util.find_spec("tensorflow").origin).with_name("libtensorflow_cc.so.2")

# Without their options, TensorFlow reads these operations from memory that is not theirs, or with a dilation of 0.
_OPTIONS = {"DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", {}), "LSTM": ("LSTMOptions", {})}


@dataclasses.dataclass(frozen=True)
class Operation:
    """An operation of a file: its operator, the number of its inputs, and its options with the name of their table."""

    operator: str
    inputs: int = 3
    kind: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def make_file(
    operations: Sequence[Operation],
    types: Sequence[str] = ("FLOAT32",),
    shape: Sequence[int] = (4, 4, 4, 4),
    num_scales: int = 0,
    version: int = 1,
) -> bytes:
    """A file of operations that all read the same inputs and write the same two outputs.

    The inputs have these types, the last of which is that of all further ones; outputs have that of the first input.
    """
    model, graph = schema.ModelT(), schema.SubGraphT()
    inputs = [_tensor(types[min(index, len(types) - 1)], shape, num_scales) for index in range(5)]
    graph.tensors = [*inputs, _tensor(types[0], shape, num_scales), _tensor(types[0], shape, num_scales)]
    graph.inputs, graph.outputs, graph.operators, model.operatorCodes = [*range(5)], [5, 6], [], []
    for operation in operations:
        graph.operators.append(_packed(operation, len(model.operatorCodes)))
        model.operatorCodes.append(_code(operation.operator, version))
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(1 << 15)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(kind: str, shape: Sequence[int], num_scales: int) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer, tensor.type = kind, list(shape), 0, getattr(schema.TensorType, kind)
    if num_scales:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [0.5] * num_scales, [0] * num_scales
    return tensor


def _packed(operation: Operation, index: int) -> schema.OperatorT:
    packed = schema.OperatorT()
    packed.opcodeIndex, packed.inputs, packed.outputs = index, [*range(operation.inputs)], [5, 6]
    kind, options = (
        (operation.kind, operation.options) if operation.kind else _OPTIONS.get(operation.operator, ("", {}))
    )
    if kind:
        packed.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        packed.builtinOptions = getattr(schema, f"{kind}T")()
        for name, value in options.items():
            assert hasattr(packed.builtinOptions, name)
            setattr(packed.builtinOptions, name, value)
    return packed


def _code(operator: str, version: int) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    number = OPERATORS.get(operator, OPERATORS["CUSTOM"])
    if operator not in OPERATORS:
        code.customCode = operator
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
    return code


def versions_by_tensorflow(content: bytes) -> list[int]:
    """The versions that TensorFlow's converter would give the operations of a file, all of whose versions are 0."""
    update = ctypes.CDLL(str(LIBRARY))["_ZN6tflite15UpdateOpVersionEPh"]
    update.argtypes, update.restype = (ctypes.c_void_p,), None
    buffer = ctypes.create_string_buffer(content, len(content))
    update(ctypes.addressof(buffer))
    model = schema.ModelT.InitFromPackedBuf(buffer.raw, 0)
    return [model.operatorCodes[each.opcodeIndex].version for each in model.subgraphs[0].operators]
