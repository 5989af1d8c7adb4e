"""Memory of SegFormer-B0 on devices with very little of it, a question that the paper leaves open.

    pip install -e ".[mobile]"
    python benchmarks/memory.py --preset b0_ade20k --images PICTURES

For every side and precision: the size of the file, the arena, the memory that the file adds to a process with Python,
NumPy and LiteRT, the smallest address space in which that process computes the same, the time on one thread, and the
share of labels equal to those of the float32 file for 512x512. INT8 is calibrated with three of four pictures, and
labels are compared on the others. The recipe is searched for at the largest side and used for all.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.console import Console
from rich.table import Table

import keras_segformer
from keras_segformer.cli.progress import step_bars
from keras_segformer.conversion import convert
from keras_segformer.conversion.benchmark import run_in_process, smallest_limit
from keras_segformer.conversion.benchmark.timing import machine
from keras_segformer.conversion.progress import Progress
from keras_segformer.conversion.report.fidelity import run_file
from keras_segformer.conversion.tflite.arena import arena_bytes
from keras_segformer.images import find_images, load_image
from keras_segformer.predict.interpolation import resized_rows

PRECISIONS = ("float32", "float16", "int8")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", required=True, help="trained weights: INT8 of random ones means nothing")
    parser.add_argument("--images", required=True, help="folder of pictures")
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 256, 192, 128], help="the largest first")
    parser.add_argument("--recipe", type=Path, help="JSON of an INT8 file whose recipe to follow, to save the search")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    images = [load_image(path) for path in find_images(args.images)]
    model = keras_segformer.SegFormer.from_preset(args.preset)
    with tempfile.TemporaryDirectory() as folder, step_bars() as progress:
        rows = measure(model, images, args.sides, Path(folder), args.recipe, progress)
    _print(rows, f"SegFormer-B0, {model.label_set.num_classes} classes, uint8 to labels, one thread; {machine()}")
    if args.json:
        args.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")


def measure(
    model: Any, images: list[np.ndarray], sides: list[int], folder: Path, recipe: Path | None, progress: Progress
) -> list[dict[str, Any]]:
    """The figures of every side and precision."""
    others = images[::4]  # `convert` does not fit to these
    reference, rows = None, []
    for side in sides:
        for precision in PRECISIONS:
            path = folder / f"{precision}_{side}.tflite"
            options = {"calibration": images, "recipe": recipe} if precision == "int8" else {}
            convert(model, path, precision, (side, side), report=False, progress=progress, save_memory=True, **options)
            if precision == "int8":
                recipe = recipe or path.with_suffix(".json")
            labels = run_file(path.read_bytes(), [_resized(image, side) for image in others])
            if reference is None:
                reference = labels
            rows.append({"side": side, "precision": precision} | _figures(path, labels, reference))
    return rows


def _figures(path: Path, labels: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
    alone = run_in_process(path, runs=10)
    positions = np.arange(reference.shape[1]) * labels.shape[1] // reference.shape[1]
    return {
        "file_mb": path.stat().st_size / 1e6,
        "arena_mb": arena_bytes(path.read_bytes()) / 1e6,
        "added_mb": alone["peak_bytes_of_file"] / 1e6,
        "smallest_mb": smallest_limit(path) / 1e6,
        "ms": 1e3 * alone["median_seconds"],
        "agreement": float(np.mean(labels[:, positions][:, :, positions] == reference)),
    }


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    return np.rint(resized_rows(image, (side, side), slice(None))).astype(np.uint8)


def _print(rows: list[dict[str, Any]], title: str) -> None:
    table = Table(title=title)
    table.add_column("input")
    for header in (
        "precision",
        "file",
        "arena",
        "added to the process",
        "smallest process",
        "time",
        "labels as at 512",
    ):
        table.add_column(header, justify="right")
    for row in rows:
        sizes = [f"{row[name]:.1f} MB" for name in ("file_mb", "arena_mb", "added_mb", "smallest_mb")]
        time, agreement = f"{row['ms']:.0f} ms", f"{row['agreement']:.3f}"
        table.add_row(f"{row['side']}x{row['side']}", row["precision"], *sizes, time, agreement)
    Console().print(table)


if __name__ == "__main__":
    main()
