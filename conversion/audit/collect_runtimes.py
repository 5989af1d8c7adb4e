"""Collects which runtimes have which versions of the built-in operators, and writes `runtimes.json`.

    python -m keras_segformer.conversion.audit.collect_runtimes

Three sources are asked, so that nothing is copied by hand but the newest versions:

- the enumeration of operators in the schema that ai-edge-litert ships;
- TensorFlow's own table, `FindMinimumRuntimeVersionForOp` in its library: the oldest TF Lite that has a version;
- the registry of LiteRT: a file that only names an operator and a version is refused when it is loaded if the
  interpreter has no kernel for them.

It runs on Linux with TensorFlow and ai-edge-litert installed.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import flatbuffers
from ai_edge_litert.interpreter import Interpreter

from ..tflite.schema import schema

_LAST_VERSION = 20  # greater than any version of an operator so far
_TABLE = "_ZN6tflite30FindMinimumRuntimeVersionForOpB5cxx11ENS_15BuiltinOperatorEi"
_NO_KERNEL = "Didn't find op for builtin opcode"

# Versions that were added after the TensorFlow release that is asked.
_NEWER = {
    "ADD": {6: "2.23.0"},
    "CONCATENATION": {6: "2.23.0"},
    "COS": {2: "2.23.0"},
    "DEQUANTIZE": {8: "2.22.0"},
    "DYNAMIC_UPDATE_SLICE": {6: "2.22.0"},
    "MUL": {8: "2.23.0"},
    "QUANTIZE": {5: "2.21.0", 6: "2.21.0"},
    "SIN": {2: "2.23.0"},
    "SLICE": {8: "2.23.0"},
    "SOFTMAX": {4: "2.23.0"},
    "TRANSPOSE": {8: "2.22.0", 9: "2.23.0"},
    "UNPACK": {5: "2.22.0"},
}
_NEWEST = "2.23.0"
_CUSTOM = ("AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess", "aeq.hadamard_rotation")
_SOURCES = (
    "TensorFlow {tensorflow}, libtensorflow_cc.so.2 (tflite::FindMinimumRuntimeVersionForOp): `since`, that of version "
    "1 first; null where the interpreter has a later version but not this one",
    "LiteRT {litert}, its interpreter, which loads files of one operator code: `litert`, the newest version; 0 for "
    "operators of the schema that it has no kernel for",
    "github.com/google-ai-edge/LiteRT at 119ae63, tflite/converter/tools/versioning/runtime_version.cc: `since` of the "
    "versions that are newer than this TensorFlow, up to {newest}",
    "github.com/google-ai-edge/LiteRT at 02c75e3, tflite/core/kernels/register.cc: `custom`, the custom operations "
    "that its interpreter has",
)


def collect() -> dict[str, Any]:
    """Ask the schema, TensorFlow and LiteRT.

    Returns:
        The content of `runtimes.json`.

    Raises:
        ImportError: TensorFlow or ai-edge-litert is not installed.
        OSError: TensorFlow's library is not where its wheels for Linux have it.
    """
    ask = tensorflow_table()
    versions = {name: importlib.metadata.version(package) for name, package in _PACKAGES.items()}
    operators = {}
    for name, number in _operators():
        runtimes = {version: ask(number, version) for version in range(1, _LAST_VERSION)} | _NEWER.get(name, {})
        known = [version for version, runtime in runtimes.items() if runtime]
        registered = [version for version in range(1, _LAST_VERSION) if is_registered(number, version)]
        # TensorFlow's table has STABLEHLO_CBRT, which no interpreter has a kernel for.
        since = [runtimes.get(version) or None for version in range(1, max(known, default=0) + 1)] if registered else []
        operators[name] = {"since": since, "litert": max(registered, default=0)}
    return {
        "sources": [source.format(**versions, newest=_NEWEST) for source in _SOURCES],
        "litert": versions["litert"],
        "newest": _NEWEST,
        "custom": list(_CUSTOM),
        "operators": operators,
    }


_PACKAGES = {"tensorflow": "tensorflow", "litert": "ai-edge-litert"}


def _operators() -> Iterator[tuple[str, int]]:
    for name, number in sorted(vars(schema.BuiltinOperator).items()):
        if isinstance(number, int) and name != "CUSTOM":
            yield name, number


class _String(ctypes.Structure):
    """A `std::string` of libstdc++, which the caller makes room for."""

    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t), ("short", ctypes.c_char * 16))


def tensorflow_table() -> Callable[[int, int], str]:
    """Look the table up in TensorFlow's library.

    Returns:
        A function of an operator's number and a version: the oldest TF Lite that has it; empty if none is known.

    Raises:
        OSError: The library is not where TensorFlow's wheels for Linux have it.
    """
    import tensorflow as tf  # loads what the library needs

    library = ctypes.CDLL(str(Path(tf.__file__).with_name("libtensorflow_cc.so.2")))
    function = library[_TABLE]
    function.argtypes, function.restype = (ctypes.POINTER(_String), ctypes.c_int, ctypes.c_int), ctypes.c_void_p

    def ask(number: int, version: int) -> str:
        text = _String()
        function(ctypes.byref(text), number, version)
        return ctypes.string_at(text.start, text.length).decode()

    return ask


def is_registered(number: int, version: int) -> bool:
    """Ask LiteRT's interpreter whether it has a kernel.

    Args:
        number: The number of the operator in the schema.
        version: Its version.

    Returns:
        Whether it has.
    """
    try:
        Interpreter(model_content=_file_of_one_code(number, version))
    except ValueError as error:
        if _NO_KERNEL not in str(error):
            raise
        return False
    return True


def _file_of_one_code(number: int, version: int) -> bytes:
    """A file that names an operator and does not use it."""
    model, graph, tensor, code = schema.ModelT(), schema.SubGraphT(), schema.TensorT(), schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version
    tensor.shape, tensor.buffer = [1], 0
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _write(found: dict[str, Any], path: Path) -> None:
    """Writes an operator a line."""
    operators = ",\n".join(f"    {json.dumps(name)}: {json.dumps(each)}" for name, each in found["operators"].items())
    rest = json.dumps({name: value for name, value in found.items() if name != "operators"}, indent=2)
    path.write_text(f'{rest[:-2]},\n  "operators": {{\n{operators}\n  }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    _write(collect(), Path(str(resources.files(__package__) / "runtimes.json")))
