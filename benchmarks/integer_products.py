"""Forms of a product of two INT8 activations, as in attention, in LiteRT: which are accepted, and how long they take.

    pip install -e ".[mobile]"
    python benchmarks/integer_products.py

Each form is a file of one operation on one thread; the time is that of this thread, the median of runs in turn.
`float32` is BATCH_MATMUL in float, which converted files for CPUs have.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.console import Console
from rich.table import Table

from keras_segformer.conversion.benchmark.timing import machine, seconds_in_turn
from keras_segformer.conversion.tflite.schema import schema
from keras_segformer.conversion.tflite.writer import pack
from keras_segformer.runtime import TFLiteRunner

_ROUNDS = 15
# (queries, channels, keys) of the scores of B0 at 512x512: stages 1, 2 and 3 with one head
_SHAPES = ((16384, 32, 256), (4096, 32, 256), (1024, 32, 256))
_FORMS = ("float32", "BATCH_MATMUL", "FULLY_CONNECTED", "CONV_2D")
_SCALES = {"left": 0.02, "right": 0.02, "bias": 0.0004, "product": 0.1}


def main() -> None:
    """Print the table."""
    table = Table(title=f"Products of activations, one thread; {machine()}")
    for header in ("queries x channels x keys", "form", "processor time", "of float32"):
        table.add_column(header)
    for shape in _SHAPES:
        runs, refusals = {}, {}
        for form in _FORMS:
            try:
                runs[form] = _timed(_file(form, *shape))
            except (RuntimeError, ValueError) as error:
                refusals[form] = str(error).splitlines()[0]
        seconds = seconds_in_turn(runs, _ROUNDS)
        for form in _FORMS:
            row = (" x ".join(map(str, shape)), form)
            if form in refusals:
                table.add_row(*row, f"refused: {refusals[form]}")
                continue
            ratio = statistics.median(own / base for own, base in zip(seconds[form], seconds["float32"], strict=True))
            table.add_row(*row, f"{1e3 * statistics.median(seconds[form]):.2f} ms", f"{ratio:.2f}")
    Console().print(table)


def _file(form: str, queries: int, channels: int, keys: int) -> bytes:
    """A file that multiplies `(queries, channels)` by the transpose of `(keys, channels)`."""
    is_float = form == "float32"
    shapes = {
        "CONV_2D": ((1, queries, 1, channels), (keys, 1, 1, channels), (1, queries, 1, keys)),
        "FULLY_CONNECTED": ((1, queries, channels), (keys, channels), (1, queries, keys)),
    }.get(form, ((1, queries, channels), (1, keys, channels), (1, queries, keys)))
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors = [
        _tensor(name, shape, is_float) for name, shape in zip(("left", "right", "product"), shapes, strict=True)
    ]
    graph.inputs, graph.outputs = [0, 1], [2]
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    operator, inputs = schema.OperatorT(), [0, 1]
    options: schema.BatchMatMulOptionsT | schema.FullyConnectedOptionsT | schema.Conv2DOptionsT
    if form == "CONV_2D":
        options, kind = schema.Conv2DOptionsT(), schema.BuiltinOptions.Conv2DOptions
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        zeros = schema.BufferT()
        zeros.data = np.zeros(4 * keys, np.uint8)
        model.buffers.append(zeros)
        graph.tensors.append(_tensor("bias", (keys,), is_float))
        inputs = [0, 1, 3]
    elif form == "FULLY_CONNECTED":
        options, kind = schema.FullyConnectedOptionsT(), schema.BuiltinOptions.FullyConnectedOptions
        options.keepNumDims = True
        inputs = [0, 1, -1]
    else:
        options, kind = schema.BatchMatMulOptionsT(), schema.BuiltinOptions.BatchMatMulOptions
        options.adjY = True
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [2]
    operator.builtinOptions, operator.builtinOptionsType = options, kind
    graph.operators, model.operatorCodes = [operator], [schema.OperatorCodeT()]
    [code] = model.operatorCodes
    code.builtinCode = getattr(schema.BuiltinOperator, "BATCH_MATMUL" if is_float else form)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 4
    return pack(model)


def _tensor(name: str, shape: tuple[int, ...], is_float: bool) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name.encode(), list(shape), int(name == "bias")
    tensor.type = schema.TensorType.FLOAT32
    if not is_float:
        tensor.type = schema.TensorType.INT32 if name == "bias" else schema.TensorType.INT8
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [_SCALES[name]], [0]
    return tensor


def _timed(content: bytes) -> Callable[[], float]:
    runner = TFLiteRunner(content, num_threads=1)
    generator = np.random.default_rng(0)
    runner.set_inputs(*(generator.normal(size=each.shape) for each in runner.inputs))

    def run() -> float:
        start = time.thread_time()
        runner.invoke()
        return time.thread_time() - start

    run()
    return run


if __name__ == "__main__":
    main()
