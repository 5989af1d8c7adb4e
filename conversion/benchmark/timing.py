"""Measuring time fairly: contenders run in turn."""

from __future__ import annotations

import os
import platform
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..progress import Progress, silent


def machine() -> str:
    """Describe this machine.

    Returns:
        The processor, the number of its cores and the operating system, in one line.
    """
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, {platform.system()}"


def seconds_in_turn(
    runs: Mapping[str, Callable[[], object]], rounds: int, progress: Progress = silent
) -> dict[str, list[float]]:
    """Measure how long several contenders take.

    Every round runs every contender once, in random order, so that neither a drift of the machine nor the cache that
    one contender leaves to the next favours any.

    Args:
        runs: The contenders by name. One that returns a float has measured its own seconds, such as
            `IsolatedRunner.invoke`, whose messages to another process do not count.
        rounds: How often each runs.
        progress: Called with progress updates.

    Returns:
        The seconds of every contender in every round.
    """
    for run in runs.values():
        run(), run()  # compile, then settle
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    order = random.Random(0)
    advance = progress("Measuring in turn", rounds)
    for _ in range(rounds):
        for name in order.sample(list(runs), len(runs)):
            start = time.perf_counter()
            own_seconds = runs[name]()
            elapsed = time.perf_counter() - start
            seconds[name].append(own_seconds if isinstance(own_seconds, float) else elapsed)
        advance()
    return seconds
