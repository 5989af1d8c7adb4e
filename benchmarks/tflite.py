"""Speed, memory and size of SegFormer-B0 as TF Lite files: ours, and those of other tools in a folder.

    pip install -e ".[mobile]"
    python benchmarks/tflite.py --peers FOLDER --files b0_int8.tflite

Every file runs on one thread with XNNPACK, in turn, each in a process of its own; the ratios are medians of the ratios
within a round, in which every file runs once. The arena is the memory of the tensors without delegates. The weights are
random: neither time nor memory depends on them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import keras_segformer
from keras_segformer.cli.progress import step_bars
from keras_segformer.conversion import convert
from keras_segformer.conversion.benchmark.timing import machine, seconds_in_turn
from keras_segformer.conversion.tflite.arena import arena_bytes
from keras_segformer.conversion.tflite.reader import operators
from keras_segformer.runtime import IsolatedRunner

REFERENCE = "ours, float32"
OURS: dict[str, dict[str, Any]] = {
    REFERENCE: {"input": "float32", "output": "logits"},
    "ours, float32, no tiles": {"input": "float32", "output": "logits", "tiles": False},
    "ours, float16": {"input": "float32", "output": "logits", "precision": "float16"},
    "ours, float32, uint8 to labels": {},
    "ours, float32, uint8 to labels at full size": {"output": "labels_full"},
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="folder of .tflite files to compare with")
    parser.add_argument(
        "--files", type=Path, nargs="*", default=[], help="further files of ours, such as INT8 of trained weights"
    )
    parser.add_argument("--rounds", type=int, default=30, help="times that every file runs")
    parser.add_argument("--size", type=int, default=512, help="side of the square image of our files")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = _convert_ours(Path(folder), args.size)
        files |= {f"ours, {file.stem}": file for file in args.files}
        files |= {file.stem: file for file in sorted(args.peers.glob("*.tflite"))} if args.peers else {}
        with step_bars() as progress, contextlib.ExitStack() as runners:
            runs = {name: runners.enter_context(_runner(file)).invoke for name, file in files.items()}
            seconds = seconds_in_turn(runs, args.rounds, progress)
        rows = {name: _figures(file, seconds[name], seconds[REFERENCE]) for name, file in files.items()}
    _print(rows, f"SegFormer-B0, {args.size}x{args.size}, 150 classes, one thread; {machine()}")
    if args.json:
        report = {"machine": machine(), "rounds": args.rounds, "size": args.size, "files": rows}
        args.json.write_text(json.dumps(report, indent=2) + "\n")


def _convert_ours(folder: Path, size: int) -> dict[str, Path]:
    model = keras_segformer.SegFormer(keras_segformer.VARIANTS["b0"])
    files = {name: folder / f"{index}.tflite" for index, name in enumerate(OURS)}
    for name, file in track(files.items(), "converting", transient=True):
        convert(model, file, input_size=(size, size), **OURS[name])
    return files


def _runner(file: Path) -> IsolatedRunner:
    runner = IsolatedRunner(file.read_bytes(), str(file), num_threads=1)
    [details] = runner.inputs
    scale = 255 if details.dtype == "uint8" else 1
    runner.set_inputs(scale * np.random.default_rng(0).uniform(0, 1, details.shape))
    return runner


def _figures(file: Path, mine: list[float], ours: list[float]) -> dict[str, float]:
    content = file.read_bytes()
    return {
        "median_ms": 1e3 * statistics.median(mine),
        "ours_in_terms_of_it": statistics.median(our / own for our, own in zip(ours, mine, strict=True)),
        "arena_mb": arena_bytes(content, isolated_as=str(file)) / 1e6,
        "file_mb": len(content) / 1e6,
        "operations": sum(each["count"] for each in operators(content)),
    }


def _print(rows: dict[str, dict[str, float]], title: str) -> None:
    table = Table(title=title)
    table.add_column("file")
    for header in ("median", "our float32 / this", "arena", "file", "operations"):
        table.add_column(header, justify="right")
    for name, row in rows.items():
        table.add_row(
            name,
            f"{row['median_ms']:.0f} ms",
            f"{row['ours_in_terms_of_it']:.2f}",
            f"{row['arena_mb']:.1f} MB",
            f"{row['file_mb']:.1f} MB",
            str(row["operations"]),
        )
    Console().print(table)


if __name__ == "__main__":
    main()
