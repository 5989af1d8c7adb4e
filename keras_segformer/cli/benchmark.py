"""`keras-segformer benchmark`: time and memory of TF Lite files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.table import Table

from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.conversion.benchmark import FileFigures, benchmark, profile, smallest_limit
from keras_segformer.conversion.benchmark.timing import machine

_MAX_KERNELS = 15


def run(args: argparse.Namespace) -> int:
    """Measure files and print the figures.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file is damaged, or does not run.
    """
    with step_bars() as progress:
        figures = benchmark(args.files, args.threads, args.rounds, progress)
        limits = _smallest_limits(args.files, progress) if args.smallest_memory else {}
    kernels = {name: profile(name) for name in figures} if args.profile else {}
    if args.json:
        content = {"machine": machine(), "rounds": args.rounds, "smallest_bytes": limits, "kernels": kernels}
        write_json(args.json, content | {"files": {name: each.to_dict() for name, each in figures.items()}})
    console = make_console(highlight=False)
    console.print(_table(figures, limits, args.threads))
    for name, rows in kernels.items():
        console.print(_kernel_table(name, rows))
    console.print(machine())
    return 0


def _smallest_limits(files: list[str], progress: Any) -> dict[str, int]:
    advance = progress("Finding the smallest memory", len(files))
    limits = {}
    for file in files:
        limits[file] = smallest_limit(file)
        advance()
    return limits


def _table(figures: dict[str, FileFigures], limits: dict[str, int], threads: list[int]) -> Table:
    timed = [header for count in threads for header in (f"{count} thread{'s' * (count > 1)}", "of the first")]
    smallest = ["Smallest"] if limits else []
    table = make_table("File", *timed, "Load", "Size", "Arena", "Peak memory", *smallest)
    for name, each in figures.items():
        times = [
            text for count in threads for text in (f"{1e3 * each.seconds[count]:.0f} ms", f"{each.ratio[count]:.2f}")
        ]
        sizes = [each.file_bytes, each.arena_bytes, each.peak_bytes, *([limits[name]] if limits else [])]
        cells = [f"{size / 1e6:.1f} MB" for size in sizes]
        table.add_row(Path(name).name, *times, f"{1e3 * each.load_seconds:.0f} ms", *cells)
    return table


def _kernel_table(name: str, rows: list[dict[str, Any]]) -> Table:
    table = make_table("Kernel", "Count", "Time", "Share", title=f"{Path(name).name}: kernels, one thread")
    total = sum(row["milliseconds"] for row in rows)
    for row in rows[:_MAX_KERNELS]:
        share = row["milliseconds"] / total if total else 0
        table.add_row(row["kernel"], str(row["count"]), f"{row['milliseconds']:.2f} ms", f"{share:.1%}")
    return table
