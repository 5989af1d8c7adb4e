"""Measures the layers of B0 on this machine, and writes what `layer_costs` estimates times from.

    python benchmarks/layer_costs.py

The machine should be idle. Recipes change with the table, on every machine.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_segformer.conversion.benchmark.timing import machine
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize import layer_costs
from keras_segformer.conversion.quantize.file_layers import FileLayer
from keras_segformer.conversion.quantize.float_file import FloatFile
from keras_segformer.conversion.quantize.layer_costs import COSTS_FILE, sizes
from keras_segformer.conversion.quantize.layer_timing import layer_seconds
from keras_segformer.conversion.quantize.quantization_recipe import QuantizationMode
from keras_segformer.conversion.tflite.export import export
from keras_segformer.models import VARIANTS, SegFormerNetwork

_SIZE = (512, 512)
_MODES: Mapping[str, tuple[QuantizationMode, ...]] = {
    "CONV_2D": ("float", "dynamic", "static"),
    "DEPTHWISE_CONV_2D": ("float", "static"),
}


def main() -> None:
    """Write the table beside `layer_costs`, and print how far its estimates are from the measurements."""
    traced = trace_network(fold_all(read_network(SegFormerNetwork(VARIANTS["b0"]))), _SIZE)
    layers = FloatFile(export(traced.function, "float32"), traced.layers).layers.values()
    table: dict[str, dict[str, list[float]]] = {}
    for operator, modes in _MODES.items():
        chosen = list({_shapes(each): each for each in layers if each.operator == operator}.values())
        table[operator] = {}
        for mode in modes:
            table[operator][mode], error = _fit(chosen, [layer_seconds(each, mode) for each in chosen])
            print(f"{operator} {mode}: {len(chosen)} shapes, median error {error:.0%}")
    content = {
        "about": "Seconds on one thread for each multiplication, input and output of an operation, and for its call.",
        "machine": machine(),
        "seconds": table,
    }
    Path(layer_costs.__file__).with_name(COSTS_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _shapes(layer: FileLayer) -> tuple[tuple[int, ...], ...]:
    return tuple(each.shape for each in layer.nodes[0].inputs[:2])


def _fit(layers: Sequence[FileLayer], seconds: Sequence[float]) -> tuple[list[float], float]:
    """The weights of `sizes`, none negative, with the least squared relative errors; and the median of these."""
    rows = np.array([np.sum([sizes(each.operator, node) for node in each.nodes], axis=0) for each in layers])
    rows /= np.asarray(seconds)[:, None]
    used = list(range(rows.shape[1]))
    while True:
        weights = np.linalg.lstsq(rows[:, used], np.ones(len(rows)), rcond=None)[0]
        if weights.min() >= 0:
            break
        used.pop(int(weights.argmin()))
    result = np.zeros(rows.shape[1])
    result[used] = weights
    return [float(f"{each:.4g}") for each in result], statistics.median(np.abs(rows @ result - 1))


if __name__ == "__main__":
    main()
