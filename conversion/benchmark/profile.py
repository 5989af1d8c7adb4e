"""The time of every operation of a TF Lite file, by the name of its kernel.

LiteRT has a profiler, but neither `CompiledModel` nor `Interpreter` of its Python package (2.3) gives access to it.
This is the one file that calls LiteRT's C interface, with structures laid out by hand. It runs itself as a script in a
process of its own, which a damaged file may kill:

    python profile.py '{"path": "b0.tflite", "runs": 20, "inputs": [["uint8", [1, 512, 512, 3]]], "outputs": …}'

Source of the functions and structures: litert/c/litert_compiled_model.h, litert_profiler.h and litert_layout.h of
LiteRT 2.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
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
        FileNotFoundError: There is no such file.
        ValueError: LiteRT is not installed or has no profiler, or the file is damaged or kills the process.
    """
    from keras_segformer.runtime import IsolatedRunner

    from .process_memory import private_copy

    content = Path(path).read_bytes()
    with IsolatedRunner(content, os.fspath(path)) as runner:
        tensors = {
            name: [(each.dtype, each.shape) for each in details]
            for name, details in (("inputs", runner.inputs), ("outputs", runner.outputs))
        }
    with private_copy(content) as copy:
        request = json.dumps({"path": str(copy), "runs": runs} | tensors)
        done = subprocess.run([sys.executable, "-P", __file__, request], capture_output=True, text=True, check=False)
    if done.returncode < 0:
        cause = signal.Signals(-done.returncode).name
        raise ValueError(f"'{path}' kills the process that profiles it (signal {cause}); convert the file again.")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise ValueError(f"LiteRT does not profile '{path}' ({last}); run `pip install 'ai-edge-litert>=2.3'`.")
    return json.loads(done.stdout.splitlines()[-1])


def parse_summary(text: str) -> list[dict[str, Any]]:
    """Parse the profiler's summary.

    Args:
        text: The summary, which starts with a line for every operation in the order of execution.

    Returns:
        The result of `profile`.
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


def _summary(path: str, runs: int, inputs: list[Any], outputs: list[Any]) -> str:
    import ai_edge_litert

    folder = Path(ai_edge_litert.__file__).parent
    library = ctypes.CDLL(str(folder / "libLiteRt.so"))

    def make(function: str, *arguments: Any) -> ctypes.c_void_p:
        """The value that a function stores at its last argument."""
        result = ctypes.c_void_p()
        _call(library, function, *arguments, ctypes.byref(result))
        return result

    place = ctypes.cast(ctypes.c_char_p(str(folder).encode()), ctypes.c_void_p)
    option = _Option(_LIBRARY_FOLDER_OPTION, _Value(_STRING, place))
    environment = make("LiteRtCreateEnvironment", 1, ctypes.byref(option))
    model = make("LiteRtCreateModelFromFile", environment, path.encode())
    compiled = make("LiteRtCreateCompiledModel", environment, model, _options(library, make))
    buffers = [
        _buffers(make, environment, compiled, kind, tensors)
        for kind, tensors in (("Input", inputs), ("Output", outputs))
    ]
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


def _buffers(make: Any, environment: Any, compiled: Any, kind: str, tensors: list[Any]) -> Any:
    result = (ctypes.c_void_p * len(tensors))()
    for index, (dtype, shape) in enumerate(tensors):
        numbers = (ctypes.c_size_t(0), ctypes.c_size_t(index))
        required = make(f"LiteRtGetCompiledModel{kind}BufferRequirements", compiled, *numbers)
        tensor_type = _TensorType()
        tensor_type.element = _ELEMENTS[dtype]
        tensor_type.layout.rank = len(shape)
        for axis, length in enumerate(shape):
            tensor_type.layout.lengths[axis] = length
        buffer = make(
            "LiteRtCreateManagedTensorBufferFromRequirements", environment, ctypes.byref(tensor_type), required
        )
        result[index] = buffer.value
    return result


def _call(library: ctypes.CDLL, function: str, *arguments: Any) -> None:
    status = getattr(library, function)(*arguments)
    if status:
        raise RuntimeError(f"{function} returned the status {status}")


if __name__ == "__main__":
    print(json.dumps(parse_summary(_summary(**json.loads(sys.argv[1])))))
