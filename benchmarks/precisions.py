"""Every precision of TF Lite files over networks, numbers of classes and sizes: file, agreement, time and arena.

    pip install -e ".[mobile]"
    python benchmarks/precisions.py b0_camvid b1:1 pvt_v2_b0:19 --sizes 128 256 --images photos/

A model is a preset, or a variant with random weights and a number of classes. Of random weights, size, time and arena
are those of trained ones, and the agreement says whether a file computes its network, but not what integers cost in
practice. A row that cannot be converted says why, and the exit status is 1. With `--json`, a run that was stopped
goes on where it was. With `--files`, a second run measures the times of the same files anew, such as on a machine that
does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from rich.console import Console
from rich.table import Table

import keras_segformer
from keras_segformer.cli.progress import step_bars
from keras_segformer.conversion import convert
from keras_segformer.conversion.benchmark import run_in_process
from keras_segformer.conversion.benchmark.timing import machine
from keras_segformer.conversion.choices import AnyPrecision
from keras_segformer.conversion.progress import Progress
from keras_segformer.conversion.tflite.arena import arena_bytes
from keras_segformer.images import find_images
from keras_segformer.json_text import read_json


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="a preset, or VARIANT:CLASSES with random weights")
    parser.add_argument("--images", required=True, help="folder of pictures to calibrate with and to compare on")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512], help="sides of the square picture")
    parser.add_argument("--precisions", nargs="+", choices=get_args(AnyPrecision), default=get_args(AnyPrecision))
    parser.add_argument("--runs", type=int, default=10, help="times that every file runs")
    parser.add_argument("--json", type=Path, help="also write the figures to this file, and keep those that it has")
    parser.add_argument("--files", type=Path, help="folder to keep the files in, and to take those from that it has")
    args = parser.parse_args()
    images = find_images(args.images)
    if args.files:
        args.files.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = read_json(args.json)["rows"] if args.json and args.json.exists() else []
    done = {(row["model"], row["side"], row["precision"]) for row in rows}
    with tempfile.TemporaryDirectory() as folder, step_bars() as progress:
        for name in args.models:
            model = _model(name)
            for side in args.sizes:
                for precision in args.precisions:
                    if (name, side, precision) in done:
                        continue
                    # The whole name: folders of presets often have the same last part.
                    stem = quote(f"{name}_{side}_{precision}", safe="")
                    file = (args.files or Path(folder)) / f"{stem}.tflite"
                    figures = _figures(model, file, precision, side, images, args.runs, progress)
                    rows.append({"model": name, "side": side, "precision": precision} | figures)
                    _save(rows, args.json)
    _print(rows, f"uint8 to labels, one thread; {machine()}")
    return int(any("error" in row for row in rows))


def _save(rows: list[dict[str, Any]], file: Path | None) -> None:
    """Keeps the rows so far, since all of them take hours."""
    if file:
        file.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")


def _model(name: str) -> keras_segformer.SegFormer:
    variant, _, classes = name.partition(":")
    if variant not in keras_segformer.VARIANTS:  # names of presets may have colons too
        return keras_segformer.SegFormer.from_preset(name)
    return keras_segformer.SegFormer(keras_segformer.VARIANTS[variant].replace(num_classes=int(classes)))


def _figures(
    model: keras_segformer.SegFormer,
    file: Path,
    precision: AnyPrecision,
    side: int,
    images: list[Any],
    runs: int,
    progress: Progress,
) -> dict[str, Any]:
    try:
        if file.exists():
            facts = read_json(file.with_suffix(".json"))
        else:
            facts = convert(model, file, precision, (side, side), calibration=images, report=False, progress=progress)
        alone = run_in_process(file, runs=runs)
    except ValueError as error:
        return {"error": str(error)}
    return {
        "file_mb": facts["bytes"] / 1e6,
        "agreement": facts["fidelity"]["agreement"],
        "worst": facts["fidelity"]["worst_agreement"],
        "ms": 1e3 * alone["median_seconds"],
        "arena_mb": arena_bytes(file.read_bytes()) / 1e6,
    }


def _print(rows: list[dict[str, Any]], title: str) -> None:
    table = Table(title=title)
    for header in ("model", "side", "precision", "file", "agreement, mean / worst", "time", "arena"):
        table.add_column(header)
    for row in rows:
        start = (row["model"], str(row["side"]), row["precision"])
        if "error" in row:
            table.add_row(*start, row["error"])
            continue
        agreement = f"{row['agreement']:.4f} / {row['worst']:.4f}"
        table.add_row(*start, f"{row['file_mb']:.1f} MB", agreement, f"{row['ms']:.0f} ms", f"{row['arena_mb']:.1f} MB")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
