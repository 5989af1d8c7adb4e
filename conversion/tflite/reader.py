"""What a TF Lite file holds: its operations and their tensors, read without running them."""

from __future__ import annotations

import collections
import dataclasses
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

_IDENTIFIER = b"TFL3"
MINIMUM_RUNTIME = b"min_runtime_version"
# What reading raises where an offset leads out of a flatbuffer or to something else.
_DAMAGES = (struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tensor:
    """A tensor of a file.

    Args:
        name: Its name.
        type: Name of its type in the schema, such as `"FLOAT32"`.
        shape: Its shape; 1 where an axis is dynamic.
        dynamic: Whether an axis is known at run time only.
        variable: Whether its value outlives a call.
        sparse: Whether its values are stored sparsely.
        constant: Whether it is a weight, or is unpacked from one.
        data: The bytes of a weight.
        scales: The scales of a quantised tensor, float32; none for others.
        zero_points: The zero points of a quantised tensor.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    dynamic: bool
    variable: bool
    sparse: bool
    constant: bool
    data: np.ndarray | None
    scales: np.ndarray
    zero_points: np.ndarray

    @property
    def integers(self) -> np.ndarray:
        """The values of an INT32 weight; none for other tensors."""
        if self.data is None or self.type != "INT32":
            return np.zeros(0, np.int32)
        return self.data[: len(self.data) // 4 * 4].view("<i4")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """An operation of a file.

    Args:
        place: Where it stands: its index, behind that of its graph where there are several, as in `"1:12"`.
        name: Name of its kind, such as `"CONV_2D"`; of a custom operation its own.
        version: The version that the file gives it.
        custom: Whether it is none of TF Lite's own.
        inputs: Its inputs; `None` for one that is left out.
        outputs: Its outputs.
        options: Its options under the names that the schema gives them; none where all have their defaults.
    """

    place: str
    name: str
    version: int
    custom: bool
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Mapping[str, Any]

    @property
    def unpacks_weights(self) -> bool:
        """Whether it only turns stored weights into those that another operation takes."""
        return self.name in _UNPACKING and bool(self.inputs) and all(each and each.constant for each in self.inputs)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TFLiteFile:
    """The contents of a file.

    Args:
        nodes: The operations of all graphs, in their order.
        tensors: The tensors of all graphs.
        claimed_runtime: The oldest TF Lite runtime that the file says it needs, or `None` where it says nothing.
    """

    nodes: tuple[Node, ...]
    tensors: tuple[Tensor, ...]
    claimed_runtime: str | None

    def operators(self) -> list[dict[str, Any]]:
        """List the kinds of operations.

        Returns:
            `{"name": …, "version": …, "count": …}` for every kind, sorted by name; custom operations, which need more
            than the TF Lite runtime, under their own names.
        """
        counts = collections.Counter((node.name, node.version) for node in self.nodes)
        return [{"name": name, "version": version, "count": count} for (name, version), count in sorted(counts.items())]


def read_tflite(content: bytes) -> TFLiteFile:
    """Read a file.

    Args:
        content: The file.

    Returns:
        Its operations and tensors.

    Raises:
        ValueError: It is no TF Lite file, or a part of it is missing.
    """
    if content[4:8] != _IDENTIFIER:
        raise ValueError("This is no TF Lite file; name one whose name ends in .tflite, as `convert` writes it.")
    try:
        return _read(schema.ModelT.InitFromPackedBuf(content, 0))
    except _DAMAGES as error:
        raise ValueError(f"The TF Lite file is cut short or damaged ({error}); copy or convert it again.") from error


def operators(content: bytes) -> list[dict[str, Any]]:
    """List the kinds of operations of a file.

    Args:
        content: The file.

    Returns:
        What `TFLiteFile.operators` returns.

    Raises:
        ValueError: It is no TF Lite file, or a part of it is missing.
    """
    return read_tflite(content).operators()


def _read(model: schema.ModelT) -> TFLiteFile:
    graphs = [_read_graph(model, index) for index in range(len(model.subgraphs))]
    return TFLiteFile(
        nodes=tuple(node for nodes, _ in graphs for node in nodes),
        tensors=tuple(tensor for _, tensors in graphs for tensor in tensors),
        claimed_runtime=_claimed_runtime(model),
    )


def _read_graph(model: schema.ModelT, number: int) -> tuple[list[Node], list[Tensor]]:
    graph = model.subgraphs[number]
    kinds = [_kind(code) for code in model.operatorCodes]
    operators = graph.operators or []
    weights = {index for index, tensor in enumerate(graph.tensors) if _has_data(model.buffers[tensor.buffer])}
    for operator in operators:
        if kinds[operator.opcodeIndex][0] in _UNPACKING and weights.issuperset(_numbers(operator.inputs)):
            weights.update(_numbers(operator.outputs))
    tensors = [_tensor(model, tensor, index in weights) for index, tensor in enumerate(graph.tensors)]
    nodes = []
    for index, operator in enumerate(operators):
        name, version, custom = kinds[operator.opcodeIndex]
        node = Node(
            place=f"{number}:{index}" if len(model.subgraphs) > 1 else str(index),
            name=name,
            version=version,
            custom=custom,
            inputs=tuple(None if each < 0 else tensors[each] for each in _numbers(operator.inputs)),
            outputs=tuple(tensors[each] for each in _numbers(operator.outputs)),
            options=vars(operator.builtinOptions) if operator.builtinOptions else {},
        )
        nodes.append(node)
    return nodes, tensors


def _kind(code: schema.OperatorCodeT) -> tuple[str, int, bool]:
    if code.customCode:
        return code.customCode.decode(), code.version, True
    # Codes beyond 127 do not fit the older field, which then holds a place-holder.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    # A file may be newer than the installed schema.
    return _OPERATOR_NAMES.get(number, f"BUILTIN_{number}"), code.version, False


def _tensor(model: schema.ModelT, tensor: schema.TensorT, constant: bool) -> Tensor:
    data, quantization = model.buffers[tensor.buffer].data, tensor.quantization
    return Tensor(
        name=(tensor.name or b"").decode(),
        type=_TYPE_NAMES.get(tensor.type, f"TYPE_{tensor.type}"),
        shape=tuple(_numbers(tensor.shape)),
        dynamic=-1 in _numbers(tensor.shapeSignature),
        variable=tensor.isVariable,
        sparse=tensor.sparsity is not None,
        constant=constant,
        data=data if data is not None and len(data) else None,
        scales=_array(quantization and quantization.scale, np.float32),
        zero_points=_array(quantization and quantization.zeroPoint, np.int64),
    )


def _has_data(buffer: schema.BufferT) -> bool:
    # The bytes of files beyond 2 GB lie outside the flatbuffer.
    return bool(buffer.size) or (buffer.data is not None and len(buffer.data) > 0)


def _claimed_runtime(model: schema.ModelT) -> str | None:
    for entry in model.metadata or []:
        if entry.name == MINIMUM_RUNTIME:
            return model.buffers[entry.buffer].data.tobytes().rstrip(b"\0").decode() or None
    return None


def _numbers(vector: np.ndarray | None) -> list[int]:
    # An empty vector comes as the number 0 in some versions of the flatbuffers package.
    return vector.tolist() if isinstance(vector, np.ndarray) else []


def _array(vector: np.ndarray | None, dtype: type) -> np.ndarray:
    return np.asarray(vector, dtype) if isinstance(vector, np.ndarray) else np.zeros(0, dtype)


def _names(enumeration: type) -> dict[int, str]:
    return {code: name for name, code in vars(enumeration).items() if isinstance(code, int)}


_UNPACKING = ("DEQUANTIZE", "DENSIFY")
_OPERATOR_NAMES = _names(schema.BuiltinOperator)
_TYPE_NAMES = _names(schema.TensorType)
