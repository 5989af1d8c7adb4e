"""What integers save on this processor: whole files of B0 with every layer in one mode, in processor time.

    pip install -e ".[mobile]"
    python benchmarks/integer_times.py --sizes 256 512

The files run on one thread, in turn, and only the time of that thread counts, so that other programs on the machine
matter little. Ratios are medians of the ratios within a round, to `float`. `--precision int8` uses `dynamic` for
LiteRT and `static` for TF Lite 2.16. The weights are random: times do not depend on them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import get_args

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.console import Console
from rich.table import Table

from keras_segformer.cli.progress import step_bars
from keras_segformer.conversion.benchmark.timing import machine, seconds_in_turn
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.network import Network
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize import QuantizationRecipe
from keras_segformer.conversion.quantize.float_file import FloatFile
from keras_segformer.conversion.quantize.quantization_recipe import QuantizationMode
from keras_segformer.conversion.quantize.statistics import Statistics
from keras_segformer.conversion.tflite.export import export
from keras_segformer.models import VARIANTS, SegFormerNetwork
from keras_segformer.runtime import TFLiteRunner

_OPERATORS = {"float": (), "dynamic": ("CONV_2D",), "static": ("CONV_2D", "DEPTHWISE_CONV_2D")}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256], help="sides of the square picture")
    parser.add_argument("--rounds", type=int, default=15, help="times that every file runs")
    args = parser.parse_args()
    network = fold_all(read_network(SegFormerNetwork(VARIANTS["b0"].replace(output_stride=4))))
    table = Table(title=f"SegFormer-B0, one thread; {machine()}")
    for header in ("side", "layers", "processor time", "of float"):
        table.add_column(header)
    for side in args.sizes:
        with step_bars() as progress:
            seconds = seconds_in_turn(_runs(network, side), args.rounds, progress)
        for mode, mine in seconds.items():
            ratio = statistics.median(own / base for own, base in zip(mine, seconds["float"], strict=True))
            table.add_row(str(side), mode, f"{1e3 * statistics.median(mine):.1f} ms", f"{ratio:.2f}")
    Console().print(table)


def _runs(network: Network, side: int) -> dict[str, Callable[[], float]]:
    """What measures each file once, by its mode."""
    traced = trace_network(network, (side, side), output="logits")
    file = FloatFile(export(traced.function, "float32"), traced.layers)
    names = [tensor.name for tensor in file.file.tensors if not tensor.constant]
    ranges = dict.fromkeys(names, np.linspace(-1, 1, 100, dtype=np.float32))
    file = file.with_statistics(Statistics(gram_matrices={}, values=ranges))
    return {mode: _timed(file.quantize(_recipe(file, mode))) for mode in get_args(QuantizationMode)}


def _recipe(file: FloatFile, mode: QuantizationMode) -> QuantizationRecipe:
    modes = {name: mode if layer.operator in _OPERATORS[mode] else "float" for name, layer in file.layers.items()}
    return QuantizationRecipe(layers=modes, rounding="nearest")


def _timed(content: bytes) -> Callable[[], float]:
    runner = TFLiteRunner(content, num_threads=1)  # in the thread that calls it
    runner.set_inputs(*(np.random.default_rng(0).uniform(0, 255, each.shape) for each in runner.inputs))

    def run() -> float:
        start = time.thread_time()
        runner.invoke()
        return time.thread_time() - start

    return run


if __name__ == "__main__":
    main()
