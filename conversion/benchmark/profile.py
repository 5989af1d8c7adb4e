"""How long every operation of a file takes, by the name of its kernel.

LiteRT has a profiler that its Python package does not show; here it is called through its C interface, in a process of
its own.

    python profile.py b0.tflite RUNS

Source of the functions: litert/c/litert_compiled_model.h and litert_profiler.h of LiteRT 2.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_CPU = 1
_LIBRARY_FOLDER_OPTION = 22
_STRING = 8
_ROW = re.compile(
    r"^\s*(?P<kind>\S.*?)\s+(?:[\d.]+\s+){2}(?P<ms>[\d.]+)\s+[\d.]+%\s+[\d.]+%\s+[\d.]+\s+(?P<runs>\d+)\s"
)
_ELEMENTS = {"float32": 1, "int32": 2, "uint8": 3, "int64": 4, "int16": 7, "int8": 9}


class _Value(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("value", ctypes.c_void_p)]


class _Option(ctypes.Structure):
    _fields_ = [("tag", ctypes.c_int), ("value", _Value)]


class _Layout(ctypes.Structure):
    _fields_ = [
        ("rank", ctypes.c_uint, 7),
        ("strided", ctypes.c_uint, 1),
        ("lengths", ctypes.c_int32 * 8),
        ("strides", ctypes.c_uint32 * 8),
    ]


class _TensorType(ctypes.Structure):
    _fields_ = [("element", ctypes.c_int), ("layout", _Layout)]


def profile(path: str | os.PathLike[str], runs: int = 20) -> list[dict[str, Any]]:
    """Measure the operations of a file on one thread.

    Args:
        path: The `.tflite` file.
        runs: How often it runs.

    Returns:
        `{"kernel": …, "count": …, "milliseconds": …}` for every kind of kernel, the slowest first.

    Raises:
        RuntimeError: LiteRT is not installed, is of a version without the profiler, or does not run the file.
    """
    command = [sys.executable, __file__, os.fspath(path), str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise RuntimeError(f"LiteRT does not profile '{path}' ({last}); pip install 'ai-edge-litert>=2.3'.")
    return json.loads(done.stdout.splitlines()[-1])


def parse_summary(text: str) -> list[dict[str, Any]]:
    """Read the profiler's summary.

    Args:
        text: The summary: first the operations in their order, a line each.

    Returns:
        What `profile` returns.
    """
    found: dict[str, dict[str, Any]] = {}
    for line in text.partition("Top by Computation Time")[0].splitlines():
        row = _ROW.match(line)
        if row:
            kernel = row["kind"].removeprefix("Delegate/")
            entry = found.setdefault(kernel, {"kernel": kernel, "count": 0, "milliseconds": 0.0})
            entry["count"] += 1
            entry["milliseconds"] += float(row["ms"])
    return sorted(found.values(), key=lambda entry: -entry["milliseconds"])


def _summary(path: str, runs: int) -> str:
    import ai_edge_litert

    folder = Path(ai_edge_litert.__file__).parent
    library = ctypes.CDLL(str(folder / "libLiteRt.so"))

    def make(function: str, *arguments: Any) -> ctypes.c_void_p:
        """What a function puts into its last argument."""
        result = ctypes.c_void_p()
        _call(library, function, *arguments, ctypes.byref(result))
        return result

    place = ctypes.cast(ctypes.c_char_p(str(folder).encode()), ctypes.c_void_p)
    option = _Option(_LIBRARY_FOLDER_OPTION, _Value(_STRING, place))
    environment = make("LiteRtCreateEnvironment", 1, ctypes.byref(option))
    model = make("LiteRtCreateModelFromFile", environment, path.encode())
    compiled = make("LiteRtCreateCompiledModel", environment, model, _options(library, make))
    buffers = [_buffers(make, environment, compiled, path, kind) for kind in ("Input", "Output")]
    arguments = [part for each in buffers for part in (ctypes.c_size_t(len(each)), each)]

    def run() -> None:
        _call(library, "LiteRtRunCompiledModel", compiled, ctypes.c_size_t(0), *arguments)

    run(), run()
    profiler = make("LiteRtCompiledModelGetProfiler", compiled)
    _call(library, "LiteRtStartProfiler", profiler)
    for _ in range(runs):
        run()
    _call(library, "LiteRtStopProfiler", profiler)
    text = ctypes.c_char_p()
    _call(library, "LiteRtGetProfileSummary", profiler, compiled, ctypes.byref(text))
    return (text.value or b"").decode()


def _options(library: ctypes.CDLL, make: Any) -> ctypes.c_void_p:
    options = make("LiteRtCreateOptions")
    _call(library, "LiteRtSetOptionsHardwareAccelerators", options, ctypes.c_int(_CPU))
    system = ctypes.CDLL(None)
    system.malloc.restype, system.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    text = b"enable_profiling = true\n\0"
    copy = system.malloc(len(text))  # LiteRT frees it
    ctypes.memmove(copy, text, len(text))
    free = ctypes.cast(system.free, ctypes.c_void_p)
    opaque = make("LiteRtCreateOpaqueOptions", b"runtime_options_string", ctypes.c_void_p(copy), free)
    _call(library, "LiteRtAddOpaqueOptions", options, opaque)
    return options


def _buffers(make: Any, environment: Any, compiled: Any, path: str, kind: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path)
    tensors = interpreter.get_input_details() if kind == "Input" else interpreter.get_output_details()
    result = (ctypes.c_void_p * len(tensors))()
    for index, tensor in enumerate(tensors):
        numbers = (ctypes.c_size_t(0), ctypes.c_size_t(index))
        required = make(f"LiteRtGetCompiledModel{kind}BufferRequirements", compiled, *numbers)
        tensor_type = _TensorType()
        tensor_type.element = _ELEMENTS[tensor["dtype"].__name__]
        tensor_type.layout.rank = len(tensor["shape"])
        for axis, length in enumerate(tensor["shape"]):
            tensor_type.layout.lengths[axis] = int(length)
        buffer = make(
            "LiteRtCreateManagedTensorBufferFromRequirements", environment, ctypes.byref(tensor_type), required
        )
        result[index] = buffer.value
    return result


def _call(library: ctypes.CDLL, function: str, *arguments: Any) -> None:
    status = getattr(library, function)(*arguments)
    if status:
        raise RuntimeError(f"{function} gave the status {status}")


if __name__ == "__main__":
    print(json.dumps(parse_summary(_summary(sys.argv[1], int(sys.argv[2])))))
