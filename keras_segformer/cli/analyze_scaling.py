"""`keras-segformer analyze scaling`: how cost grows with the picture."""

from __future__ import annotations

import argparse
import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.table import Table

from keras_segformer.analysis import (
    Measurement,
    ScalingPoint,
    attention_dominates,
    draw_scaling,
    measure_keras,
    scaling,
    slopes,
)
from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.conversion import convert
from keras_segformer.conversion.benchmark import run_in_process
from keras_segformer.conversion.benchmark.timing import machine
from keras_segformer.figures import check_figure_path
from keras_segformer.files import atomic_file
from keras_segformer.models import VARIANTS, SegFormerConfig
from keras_segformer.segformer import SegFormer

_RUNS = 3


def run(args: argparse.Namespace) -> int:
    """Counts and measures, and prints the costs with their slopes.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        MemoryError: A picture does not fit into the memory of this machine.
        MissingExtraError: matplotlib is not installed.
        ValueError: LiteRT is not installed.
    """
    if args.figure:
        check_figure_path(args.figure)
    if args.runs and not args.runtimes:
        raise ValueError("--runs counts the passes of --runtimes, and none is named; leave it out, or name some")
    sides = sorted(set(args.sides))
    with step_bars() as progress:
        measured, runs = args.runtimes or (), args.runs or _RUNS
        advance = progress("Measuring", len(args.architectures) * len(sides) * len(measured))
        measure = {name: _counted(functools.partial(_RUNTIMES[name], runs=runs), advance) for name in measured}
        points: dict[str, list[ScalingPoint]] = {}
        for name in args.architectures:
            points[name] = scaling(VARIANTS[name], sides, measure)
            if args.json:  # after each, since the next may take long
                write_json(args.json, _content(args, points))
    if args.figure:
        with atomic_file(args.figure) as temporary:
            draw_scaling(points).savefig(temporary)
    console = make_console(highlight=False)
    for name, own in points.items():
        console.print(_table(name, own))
        console.print(_dominance(name))
    return 0


def measure_tflite(config: SegFormerConfig, side: int, runs: int = _RUNS) -> Measurement:
    """Measures a float32 TF Lite file on one thread, in a process that imports nothing but NumPy and LiteRT.

    Args:
        config: The hyper-parameters; the weights are random.
        side: Height and width of the picture in pixels.
        runs: How many passes are timed after the first.

    Returns:
        Time and memory.

    Raises:
        ValueError: LiteRT is not installed.

    Example:

    ```python
    measure_tflite(VARIANTS["b0"], 512).peak_bytes
    ```
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        convert(SegFormer(config), path, input_size=(side, side), report=False, save_memory=True)
        figures = run_in_process(path, runs=runs + 1)
    return Measurement(figures["median_seconds"], figures["peak_bytes_of_file"])


_RUNTIMES: Mapping[str, Callable[..., Measurement]] = {"keras": measure_keras, "tflite": measure_tflite}


def _counted(
    function: Callable[[SegFormerConfig, int], Measurement], advance: Callable[[], None]
) -> Callable[[SegFormerConfig, int], Measurement]:
    def measure(config: SegFormerConfig, side: int) -> Measurement:
        result = function(config, side)
        advance()
        return result

    return measure


def _content(args: argparse.Namespace, points: Mapping[str, Sequence[ScalingPoint]]) -> dict:
    return {
        "machine": machine() if args.runtimes else None,
        "runs": (args.runs or _RUNS) if args.runtimes else None,
        "architectures": {
            name: {
                "sizes": [point.to_dict() for point in own],
                "slopes": slopes(own),
                "attention_dominates": attention_dominates(VARIANTS[name])._asdict(),
            }
            for name, own in points.items()
        },
    }


def _table(name: str, points: Sequence[ScalingPoint]) -> Table:
    exponents = slopes(points)
    title = f"{name}, {points[0].parameters / 1e6:.2f} M parameters"
    table = make_table("Cost", *(f"{point.side}x{point.side}" for point in points), "Slope", title=title)

    def add(label: str, key: str, cells: Sequence[str]) -> None:
        table.add_row(label, *cells, f"{exponents[key]:.2f}" if key in exponents else "")

    for kind in points[0].macs:
        add(f"MACs of {kind}", kind, [f"{point.macs[kind] / 1e9:.2f} G" for point in points])
    add("MACs", "total", [f"{point.total_macs / 1e9:.2f} G" for point in points])
    for runtime in points[0].measured:
        measured = [point.measured[runtime] for point in points]
        add(f"{runtime}, time", f"{runtime} seconds", [f"{each.seconds:.2f} s" for each in measured])
        add(f"{runtime}, memory", f"{runtime} memory", [f"{each.peak_bytes / 2**20:.0f} MiB" for each in measured])
    return table


def _dominance(name: str) -> str:
    first, every = attention_dominates(VARIANTS[name])
    return (
        f"the products of attention take more than half of the MACs of stage 1 from {first}x{first} on, and of all "
        f"MACs from {every}x{every} on"
    )
