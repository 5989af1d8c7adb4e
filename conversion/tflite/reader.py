"""The operations and tensors of a TF Lite file, read without running it."""

from __future__ import annotations

import collections
import dataclasses
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .schema import schema

_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
_LEFT_OUT = -1  # the index of an optional input that there is not
_BUNDLES = {
    b"PK\3\4": "a zip archive, not a TF Lite file (a .task bundle of MediaPipe has some inside: unzip it)",
    b"LITERTLM": "a bundle of LiteRT-LM, not a TF Lite file",
}
MINIMUM_RUNTIME = b"min_runtime_version"
# Raised when an offset points outside the flatbuffer or at something else.
_DAMAGES = (struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Tensor:
    """A tensor of a file.

    Args:
        name: Its name.
        type: Name of its type in the schema, such as `"FLOAT32"`.
        shape: Its shape; 1 for dynamic axes.
        dynamic: Whether the length of an axis is set at run time.
        variable: Whether it keeps its value between runs.
        sparse: Whether its values are stored in a sparse format.
        constant: Whether it is a weight, or is unpacked from one.
        data: The bytes of a weight; `None` for other tensors.
        scales: The scales of a quantised tensor, float32; empty for others.
        zero_points: The zero points of a quantised tensor, int64; empty for others.
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
        """The values of an INT32 weight; empty for other tensors."""
        if self.data is None or self.type != "INT32":
            return np.zeros(0, np.int32)
        return self.data[: len(self.data) // 4 * 4].view("<i4")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """An operation of a file.

    Args:
        place: Its index in the graph, in files of several graphs after the index of the graph, as in `"1:12"`.
        name: Name of its operator, such as `"CONV_2D"`, or the name of a custom operator.
        version: The operator version in the file.
        custom: Whether it is a custom operation, not one of TF Lite's built-in operations.
        inputs: Its inputs; `None` for optional inputs that are left out.
        outputs: Its outputs.
        options: Its options by the names in the schema; empty if all have their defaults.
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
        """Whether it only converts stored weights for another operation."""
        return self.name in _UNPACKING and bool(self.inputs) and all(each and each.constant for each in self.inputs)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class TFLiteFile:
    """The contents of a file.

    Args:
        nodes: The operations of all graphs, in their order.
        tensors: The tensors of all graphs.
        tensor_counts: The number of tensors of every graph.
        claimed_runtime: The oldest TF Lite runtime that the file claims to run on; `None` if it claims none.
    """

    nodes: tuple[Node, ...]
    tensors: tuple[Tensor, ...]
    tensor_counts: tuple[int, ...]
    claimed_runtime: str | None

    def operators(self) -> list[dict[str, Any]]:
        """Count the operations by operator and version.

        Returns:
            `{"name": …, "version": …, "count": …}`, sorted by name and version; custom operations under their own
            names.
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
        ValueError: It is not a TF Lite file, is damaged, or describes more than its bytes can hold.
    """
    check_identifier(content)
    try:
        return _Reader(content).read()
    except _DAMAGES as error:
        raise ValueError(f"The TF Lite file is cut short or damaged ({error}); copy or convert it again.") from error


def check_identifier(content: bytes, name: str = "This") -> None:
    """Refuse what does not begin as a TF Lite file does.

    Args:
        content: The file.
        name: What messages call it.

    Raises:
        ValueError: It is not a TF Lite file.

    Example:

    >>> check_identifier(b"\\x20\\0\\0\\0TFL3")
    """
    if content[4:8] != _IDENTIFIER:
        kind = next((kind for start, kind in _BUNDLES.items() if content.startswith(start)), "not a TF Lite file")
        raise ValueError(f"{name} is {kind}; name one whose name ends in .tflite, as `convert` writes it.")


def operators(content: bytes) -> list[dict[str, Any]]:
    """Count the operations of a file by operator and version.

    Args:
        content: The file.

    Returns:
        The result of `TFLiteFile.operators`.

    Raises:
        ValueError: It is not a TF Lite file, is damaged, or describes more than its bytes can hold.
    """
    return read_tflite(content).operators()


class _Reader:
    """Reads a flatbuffer table by table, and counts the bytes that the tables take.

    Tables of a flatbuffer are found by offsets, so 300 graphs may all be one graph whose 300 operations are all one
    operation: 90,000 operations in 2.5 KB. Converters write every table once, so a file that describes more bytes than
    it has is made to exhaust its reader.
    """

    def __init__(self, content: bytes) -> None:
        self._model = schema.Model.GetRootAs(content, 0)
        self._size = self._bytes_left = len(content)

    def read(self) -> TFLiteFile:
        model = self._model
        if model.Version() != _SCHEMA_VERSION:
            raise ValueError(f"it has version {model.Version()} of the schema, and runtimes take {_SCHEMA_VERSION}")
        if not model.SubgraphsLength():
            raise ValueError("it has no graph")
        self._buffers = list(self._tables(model.BuffersLength(), model.Buffers))
        self._operators = [
            self._operator(code) for code in self._tables(model.OperatorCodesLength(), model.OperatorCodes)
        ]
        graphs = list(self._tables(model.SubgraphsLength(), model.Subgraphs))
        nodes: list[Node] = []
        tensors: list[Tensor] = []
        for number, graph in enumerate(graphs):
            prefix = f"{number}:" if len(graphs) > 1 else ""
            self._read_graph(graph, prefix, nodes, tensors)
        return TFLiteFile(
            nodes=tuple(nodes),
            tensors=tuple(tensors),
            tensor_counts=tuple(graph.TensorsLength() for graph in graphs),
            claimed_runtime=self._claimed_runtime(),
        )

    def _read_graph(self, graph: Any, prefix: str, nodes: list[Node], tensors: list[Tensor]) -> None:
        packed_tensors = list(self._tables(graph.TensorsLength(), graph.Tensors))
        operations = [
            (each, self._numbers(each.InputsAsNumpy()), self._numbers(each.OutputsAsNumpy()))
            for each in self._tables(graph.OperatorsLength(), graph.Operators)
        ]
        weights = {index for index, each in enumerate(packed_tensors) if _has_data(self._buffers[each.Buffer()])}
        for operation, inputs, outputs in operations:
            if self._operators[operation.OpcodeIndex()][0] in _UNPACKING and weights.issuperset(inputs):
                weights.update(outputs)
        own = [self._tensor(each, index in weights) for index, each in enumerate(packed_tensors)]
        tensors.extend(own)
        for index, (operation, inputs, outputs) in enumerate(operations):
            name, version, custom = self._operators[operation.OpcodeIndex()]
            node = Node(
                place=f"{prefix}{index}",
                name=name,
                version=version,
                custom=custom,
                inputs=tuple(None if each == _LEFT_OUT else own[_index(each)] for each in inputs),
                outputs=tuple(own[_index(each)] for each in outputs),
                options=self._options(operation),
            )
            nodes.append(node)

    def _operator(self, code: Any) -> tuple[str, int, bool]:
        # Codes beyond 127 do not fit the older field, which then holds a placeholder.
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if number == schema.BuiltinOperator.CUSTOM:  # runtimes read the name of no other operator
            return self._text(code.CustomCode()) or "CUSTOM", code.Version(), True
        # A file may be newer than the installed schema.
        return _OPERATOR_NAMES.get(number, f"BUILTIN_{number}"), code.Version(), False

    def _tensor(self, tensor: Any, constant: bool) -> Tensor:
        data, quantization = self._buffers[tensor.Buffer()].DataAsNumpy(), tensor.Quantization()
        has_data = isinstance(data, np.ndarray) and len(data)
        return Tensor(
            name=self._text(tensor.Name()),
            type=_TYPE_NAMES.get(tensor.Type(), f"TYPE_{tensor.Type()}"),
            shape=tuple(self._numbers(tensor.ShapeAsNumpy())),
            dynamic=-1 in self._numbers(tensor.ShapeSignatureAsNumpy()),
            variable=tensor.IsVariable(),
            sparse=tensor.Sparsity() is not None,
            constant=constant,
            data=data if has_data else None,
            scales=self._array(quantization and quantization.ScaleAsNumpy(), np.float32),
            zero_points=self._array(quantization and quantization.ZeroPointAsNumpy(), np.int64),
        )

    def _options(self, operation: Any) -> Mapping[str, Any]:
        table = operation.BuiltinOptions()
        self._spend(_TABLE_BYTES if table else 0)
        options = table and schema.BuiltinOptionsCreator(operation.BuiltinOptionsType(), table)
        return vars(options) if options else {}

    def _claimed_runtime(self) -> str | None:
        for entry in self._tables(self._model.MetadataLength(), self._model.Metadata):
            if entry.Name() == MINIMUM_RUNTIME:
                return self._buffers[entry.Buffer()].DataAsNumpy().tobytes().rstrip(b"\0").decode() or None
        return None

    def _tables(self, count: int, get: Callable[[int], Any]) -> Iterator[Any]:
        self._spend(count * (_OFFSET_BYTES + _TABLE_BYTES))
        return map(get, range(count))

    def _numbers(self, vector: np.ndarray | int) -> list[int]:
        return self._array(vector, np.int64).tolist()

    def _array(self, vector: np.ndarray | int | None, dtype: type) -> np.ndarray:
        # The flatbuffers package returns the number 0 for a missing vector.
        if not isinstance(vector, np.ndarray):
            return np.zeros(0, dtype)
        self._spend(_OFFSET_BYTES + vector.nbytes)
        return np.asarray(vector, dtype)

    def _text(self, content: bytes | None) -> str:
        self._spend(len(content or b""))
        return (content or b"").decode()

    def _spend(self, num_bytes: int) -> None:
        self._bytes_left -= num_bytes
        if self._bytes_left < 0:
            raise ValueError(f"it describes more operations and tensors than its {self._size:,} bytes can hold")


def _index(tensor: int) -> int:
    """The index of a tensor, which Python must not take for one from the end."""
    if tensor < 0:
        raise IndexError(f"it has no tensor {tensor}")
    return tensor


def _has_data(buffer: Any) -> bool:
    # The bytes of files beyond 2 GB lie outside the flatbuffer.
    return bool(buffer.Size()) or buffer.DataLength() > 0


def _names(enumeration: type) -> dict[int, str]:
    return {code: name for name, code in vars(enumeration).items() if isinstance(code, int)}


_OFFSET_BYTES = 4
_TABLE_BYTES = 4  # the offset of its vtable, which tables share
_UNPACKING = ("DEQUANTIZE", "DENSIFY")
_OPERATOR_NAMES = _names(schema.BuiltinOperator)
_TYPE_NAMES = _names(schema.TensorType)
