"""How the benchmarks measure: contenders in turn, memory in processes of their own, one table."""

from __future__ import annotations

import multiprocessing
import os
import platform
import random
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

Run = Callable[[], Any]


def machine() -> str:
    """The processor, its cores and the system, in one line."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {platform.system()}"


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


def seconds_in_turn(runs: Mapping[str, Run], rounds: int, description: str) -> dict[str, list[float]]:
    """The time of every contender in every round.

    Every round runs every contender once, in an order of its own, so that neither the drift of a machine nor the
    memory that one contender leaves to the next favours any.
    """
    for run in runs.values():
        run(), run()  # compile, then settle
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    order = random.Random(0)
    for _ in track(range(rounds), description=description, transient=True):
        for name in order.sample(list(runs), len(runs)):
            start = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


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
