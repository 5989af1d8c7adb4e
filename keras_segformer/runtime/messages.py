"""The messages between `IsolatedRunner` and its worker process.

A message is a line of JSON with the types and shapes of arrays, then the bytes of the arrays. Neither side unpickles
anything: a file that has taken over the worker cannot run code in the process that started it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

_MAX_HEADER_BYTES = 1 << 24
_MAX_ARRAY_BYTES = 1 << 33


def send_message(stream: BinaryIO, content: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
    """Write a message.

    Args:
        stream: Where to write it.
        content: What JSON can hold.
        arrays: Arrays of numbers.
    """
    arrays = [np.ascontiguousarray(array) for array in arrays]
    described = [{"dtype": array.dtype.name, "shape": array.shape} for array in arrays]
    stream.write(json.dumps(content | {"arrays": described}).encode() + b"\n")
    for array in arrays:
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def receive_message(stream: BinaryIO) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read a message.

    Args:
        stream: Where to read it.

    Returns:
        The content and the arrays, which are read-only.

    Raises:
        EOFError: The other side has closed the stream, or sent something else.
    """
    line = stream.readline(_MAX_HEADER_BYTES)
    if not line.endswith(b"\n"):
        raise EOFError("The stream ends within a message.")
    try:
        content = json.loads(line)
        described = [(np.dtype(each["dtype"]), tuple(each["shape"])) for each in content.pop("arrays")]
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise EOFError("The stream holds something else than messages.") from error
    return content, [_receive_array(stream, dtype, shape) for dtype, shape in described]


def _receive_array(stream: BinaryIO, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    size = math.prod(shape) * dtype.itemsize if all(type(length) is int and length >= 0 for length in shape) else -1
    if dtype.hasobject or not 0 <= size <= _MAX_ARRAY_BYTES:
        raise EOFError("The stream holds something else than arrays of numbers.")
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("The stream ends within an array.")
    return np.frombuffer(data, dtype).reshape(shape)
