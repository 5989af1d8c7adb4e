"""How the benchmarks measure memory, in processes of their own, and what they print."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

Run = Callable[[], Any]


def peak_memory(make: Callable[..., Run], *arguments: Any) -> float:
    """Peak resident memory, in MB, of a fresh process that makes a contender and runs it twice.

    Call it before anything is loaded in this process: a process starts with the peak of the one that it comes from.
    """
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_run_and_report_memory, (make, *arguments))


def _run_and_report_memory(make: Callable[..., Run], *arguments: Any) -> float:
    run = make(*arguments)
    run(), run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def figures(
    seconds: Mapping[str, list[float]], memory: Mapping[str, float], reference: Mapping[str, str]
) -> dict[str, dict[str, float | None]]:
    """Medians, and medians of the ratios within a round to the contender that `reference` names."""
    rows = {}
    for name, mine in seconds.items():
        base = seconds.get(reference.get(name, ""))
        ratios = base and [time / other for time, other in zip(mine, base, strict=True)]
        rows[name] = {
            "median_ms": 1e3 * statistics.median(mine),
            "ratio_to_ours": statistics.median(ratios) if ratios else None,
            "peak_memory_mb": memory[name],
        }
    return rows


def print_table(title: str, rows: Mapping[str, Mapping[str, float | None]]) -> None:
    """A row per contender."""
    table = Table(title=title)
    table.add_column("contender")
    for header in ("median", "times ours", "peak memory"):
        table.add_column(header, justify="right")
    for name, row in rows.items():
        ratio = f"{row['ratio_to_ours']:.2f}" if row["ratio_to_ours"] else ""
        table.add_row(name, f"{row['median_ms']:.0f} ms", ratio, f"{row['peak_memory_mb']:.0f} MB")
    Console().print(table)
