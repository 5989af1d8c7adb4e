"""How the benchmarks measure time: contenders in turn, so that none is favoured."""

from __future__ import annotations

import os
import platform
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..progress import Progress, silent


def machine() -> str:
    """Name the machine.

    Returns:
        The processor, its cores and the system, in one line.
    """
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {platform.system()}"


def seconds_in_turn(
    runs: Mapping[str, Callable[[], Any]], rounds: int, on_step: Progress = silent
) -> dict[str, list[float]]:
    """Measure contenders against each other.

    Every round runs every contender once, in an order of its own, so that neither the drift of a machine nor the
    memory that one contender leaves to the next favours any.

    Args:
        runs: The contenders by their names.
        rounds: How often each runs.
        on_step: Told of the progress.

    Returns:
        The seconds of every contender in every round.
    """
    for run in runs.values():
        run(), run()  # compile, then settle
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    order = random.Random(0)
    advance = on_step("Measuring in turn", rounds)
    for _ in range(rounds):
        for name in order.sample(list(runs), len(runs)):
            start = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - start)
        advance()
    return seconds
