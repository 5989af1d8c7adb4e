"""TF Lite files taken apart, changed and put together."""

from __future__ import annotations

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from ..audit.versions import requirement, runtime_key
from .reader import MINIMUM_RUNTIME, read_tflite

_ALIGNMENT = 16  # of the schema: `Buffer.data` is read in place, as numbers of up to 16 bytes
_IDENTIFIER = b"TFL3"


def unpack(content: bytes) -> schema.ModelT:
    """Take a file apart.

    Args:
        content: The file. Weights may lie behind the flatbuffer, as litert-quantizer writes them.

    Returns:
        Its objects, with the weights in their buffers.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.size:
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model


def pack(model: schema.ModelT) -> bytes:
    """Put a file together.

    Args:
        model: The objects; those of the buffers are replaced.

    Returns:
        The file, with every buffer where numbers can be read in place.
    """
    model.buffers = [_AlignedBuffer(buffer) for buffer in model.buffers]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def tell_truth(content: bytes) -> bytes:
    """Write into a file the versions that its operations need for their tensors, and the runtime that has them.

    litert-quantizer changes the types of tensors and leaves the versions as they were. An older runtime would take the
    file and compute garbage.

    Args:
        content: A file of one graph.

    Returns:
        The same file with true versions.

    Raises:
        ValueError: It is no TF Lite file, or a part of it is missing.
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
    """Give a file an entry of metadata in place of an older one.

    Args:
        model: The file's objects, which are changed.
        name: Name of the entry.
        value: What it holds.
    """
    model.metadata = [entry for entry in model.metadata or [] if entry.name != name]
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(value, np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata.append(entry)


class _AlignedBuffer(schema.BufferT):
    """A buffer whose data is aligned, which the generated class leaves to chance."""

    def __init__(self, buffer: schema.BufferT) -> None:
        super().__init__()
        self.data = buffer.data

    def Pack(self, builder: flatbuffers.Builder) -> int:  # overrides the generated method
        data = None
        if self.data is not None and len(self.data):
            values = np.asarray(self.data, np.uint8)
            builder.StartVector(1, len(values), _ALIGNMENT)
            builder.head -= len(values)
            builder.Bytes[builder.head : builder.head + len(values)] = values.tobytes()
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return schema.BufferEnd(builder)


def _with_version(code: schema.OperatorCodeT, version: int) -> schema.OperatorCodeT:
    copy = schema.OperatorCodeT()
    copy.__dict__.update(vars(code))
    copy.version = version
    return copy
