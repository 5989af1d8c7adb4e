"""Speed of SegFormer-B0 in ONNX Runtime: the file that `export --format onnx` writes, and one of another exporter.

    pip install -e ".[onnx]"
    python benchmarks/onnx_files.py --peer transformers_float32.onnx

The peer is B0 with 150 classes as transformers' network exports it: `(1, 3, 512, 512)` to logits at a quarter of the
size. Ours takes `(1, 512, 512, 3)` and gives the same. Both run in turn in one process; the ratios are medians of the
ratios within a round. The weights of ours are random: times do not depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import onnxruntime
from rich.console import Console
from rich.table import Table

import keras_segformer
from keras_segformer.cli.progress import step_bars
from keras_segformer.conversion import export_onnx
from keras_segformer.conversion.benchmark.timing import machine, seconds_in_turn

OURS, PEER = "ours", "peer"
SIZE = 512
# The clocks: of the wall, and of the processor, which other programs on the machine disturb less.
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


def main() -> None:
    """Print the table."""
    shared = os.environ.get("KERAS_SEGFORMER_SHARED")
    default = Path(shared) / "peers/transformers_float32.onnx" if shared else None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peer",
        type=Path,
        default=default,
        required=default is None,
        help="the other file (default: peers/transformers_float32.onnx in the folder KERAS_SEGFORMER_SHARED)",
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads")
    parser.add_argument("--rounds", type=int, default=30, help="times that both run")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what is measured (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "b0.onnx"
        export_onnx(keras_segformer.SegFormer(keras_segformer.VARIANTS["b0"]), own, input="float32")
        files = {OURS: own, PEER: args.peer}
        with step_bars() as progress:
            rows = {
                count: _figures(
                    seconds_in_turn(
                        {name: _run(file, count, CLOCKS[args.clock]) for name, file in files.items()},
                        args.rounds,
                        progress,
                    )
                )
                for count in args.threads
            }
    title = f"SegFormer-B0, {SIZE}x{SIZE}, ONNX Runtime {onnxruntime.__version__}, {args.clock} time; {machine()}"
    _print(rows, title)
    if args.json:
        report = {"machine": machine(), "rounds": args.rounds, "clock": args.clock, "threads": rows}
        args.json.write_text(json.dumps(report, indent=2) + "\n")


def _run(file: Path, threads: int, clock: Callable[[], float]) -> Callable[[], float]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait for work would use the processor while the other file runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    [images] = session.get_inputs()
    shape = (1, 3, SIZE, SIZE) if images.shape[1] == 3 else (1, SIZE, SIZE, 3)
    feed = {images.name: np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)}

    def run() -> float:
        start = clock()
        session.run(None, feed)
        return clock() - start

    return run


def _figures(seconds: dict[str, list[float]]) -> dict[str, float]:
    ratios = [own / other for own, other in zip(seconds[OURS], seconds[PEER], strict=True)]
    medians = {f"{name}_ms": 1e3 * statistics.median(each) for name, each in seconds.items()}
    return medians | {"ratio": statistics.median(ratios)}


def _print(rows: dict[int, dict[str, float]], title: str) -> None:
    table = Table(title=title)
    for header in ("threads", OURS, PEER, "ratio"):
        table.add_column(header, justify="right")
    for count, row in rows.items():
        table.add_row(str(count), f"{row['ours_ms']:.0f} ms", f"{row['peer_ms']:.0f} ms", f"{row['ratio']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
