"""Unpacking TF Lite files into objects, changing these, and packing them again."""

from __future__ import annotations

from collections.abc import Mapping

import flatbuffers
import numpy as np

from ..audit.versions import requirement, runtime_key
from .reader import MINIMUM_RUNTIME, read_tflite
from .schema import schema

_ALIGNMENT = 16  # the schema's `force_align` of `Buffer.data`: runtimes read the numbers in place
_IDENTIFIER = b"TFL3"


def unpack(content: bytes) -> schema.ModelT:
    """Unpack a file.

    Args:
        content: The file. Weights may lie behind the flatbuffer, as litert-quantizer writes them.

    Returns:
        Its objects, with the weights in the buffers.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.size:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack(model: schema.ModelT) -> bytes:
    """Pack a file.

    Args:
        model: The objects; those of the buffers are replaced.

    Returns:
        The file, with aligned buffers.
    """
    model.buffers = [_AlignedBuffer(buffer) for buffer in model.buffers]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def replace_weights(content: bytes, weights: Mapping[str, np.ndarray]) -> bytes:
    """Replace constants where they are, which takes far less time than to unpack and pack a file.

    Args:
        content: A file of one graph.
        weights: The new values by the names of tensors, of the types and sizes of the old ones.

    Returns:
        The file with these values.

    Raises:
        ValueError: A tensor has another size.
    """
    model = schema.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    first = np.frombuffer(content, np.uint8).ctypes.data
    result = bytearray(content)
    for tensor in map(graph.Tensors, range(graph.TensorsLength())):
        name = tensor.Name().decode()
        if name not in weights:
            continue
        buffer, values = model.Buffers(tensor.Buffer()), weights[name].tobytes()
        # Weights behind the flatbuffer, as litert-quantizer writes them, or in it.
        is_behind = buffer.Size() > 0
        start = buffer.Offset() if is_behind else buffer.DataAsNumpy().ctypes.data - first
        if len(values) != (buffer.Size() if is_behind else buffer.DataLength()):
            raise ValueError(f"The weights '{name}' have another size than those of the file; convert it again.")
        result[start : start + len(values)] = values
    return bytes(result)


def fix_op_versions(content: bytes) -> bytes:
    """Set the operator versions that the tensors of a file need, and the oldest runtime that has them.

    litert-quantizer changes the types of tensors and leaves the versions as they were. An older runtime would accept
    the file and compute garbage.

    Args:
        content: A file of one graph.

    Returns:
        The same file with the right versions.

    Raises:
        ValueError: It is not a TF Lite file, or is damaged.
    """
    needs = [requirement(node) for node in read_tflite(content).nodes]
    model = unpack(content)
    [graph] = model.subgraphs
    numbers: dict[tuple[int, int], int] = {}
    codes = []
    for operator, need in zip(graph.operators, needs, strict=True):
        old = model.operatorCodes[operator.opcodeIndex]
        key = (operator.opcodeIndex, need.version)
        if key not in numbers:
            numbers[key] = len(codes)
            codes.append(_with_version(old, need.version))
        operator.opcodeIndex = numbers[key]
    model.operatorCodes = codes
    runtime = max((need.runtime for need in needs if need.runtime), key=runtime_key)
    set_metadata(model, MINIMUM_RUNTIME, runtime.encode().ljust(_ALIGNMENT, b"\0"))
    return pack(model)


def set_metadata(model: schema.ModelT, name: bytes, value: bytes) -> None:
    """Set an entry of a file's metadata.

    Args:
        model: The file's objects, which are changed.
        name: Name of the entry; an older one of that name is replaced.
        value: Its content.
    """
    model.metadata = [entry for entry in model.metadata or [] if entry.name != name]
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(value, np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata.append(entry)


class _AlignedBuffer(schema.BufferT):
    """A buffer with aligned data; the generated class ignores the schema's alignment."""

    def __init__(self, buffer: schema.BufferT) -> None:
        super().__init__()
        self.data = buffer.data

    def Pack(self, builder: flatbuffers.Builder) -> int:  # overrides the generated method
        data = None
        if self.data is not None and len(self.data):
            values = np.asarray(self.data, np.uint8)
            builder.Prep(_ALIGNMENT, values.nbytes)
            data = builder.CreateNumpyVector(values)
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def _with_version(code: schema.OperatorCodeT, version: int) -> schema.OperatorCodeT:
    copy = schema.OperatorCodeT()
    copy.__dict__.update(vars(code))
    copy.version = version
    return copy
