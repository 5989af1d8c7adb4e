"""How much memory a file needs to run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).with_name("child.py")
_MEBIBYTE = 2**20
_SECONDS = 300


def run_in_process(
    path: str | os.PathLike[str], threads: int = 1, runs: int = 5, limit_bytes: int | None = None
) -> dict[str, Any]:
    """Run a file in a fresh process that holds nothing but the runtime.

    Args:
        path: The `.tflite` file.
        threads: Number of threads.
        runs: How often it runs.
        limit_bytes: Hard limit of the address space of the process; `None` for no limit.

    Returns:
        `load_seconds`, `first_seconds`, `median_seconds`, `peak_bytes` of the process, `peak_bytes_of_file`, which is
        what the file added, and `checksum` of the output.

    Raises:
        MemoryError: The process did not survive the limit.
        RuntimeError: It failed without one.
    """
    wanted = {"file": os.fspath(path), "threads": threads, "runs": runs, "limit_bytes": limit_bytes}
    # The libraries of linear algebra reserve memory for every core, which the file does not need.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(_CHILD), json.dumps(wanted)],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        env=environment,
        check=False,
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    if limit_bytes is not None:
        raise MemoryError(f"'{path}' does not run within {limit_bytes / _MEBIBYTE:.0f} MiB.")
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    raise RuntimeError(f"'{path}' does not run in a process of its own: {last}")


def smallest_limit(path: str | os.PathLike[str], on_try: Callable[[], None] | None = None) -> int:
    """Find the smallest address space in which a file runs and computes the same.

    Args:
        path: The `.tflite` file.
        on_try: Called after every run.

    Returns:
        Bytes, to 2 MiB. Python, NumPy and the runtime's libraries are mapped in it too.

    Raises:
        RuntimeError: The file does not run at all.
    """
    expected = run_in_process(path, runs=1)["checksum"]

    def runs(mebibytes: int) -> bool:
        try:
            return run_in_process(path, runs=1, limit_bytes=mebibytes * _MEBIBYTE)["checksum"] == expected
        except MemoryError:
            return False
        finally:
            if on_try:
                on_try()

    too_small, enough = 0, 4096
    while enough - too_small > 2:
        middle = (too_small + enough) // 2
        too_small, enough = (too_small, middle) if runs(middle) else (middle, enough)
    return enough * _MEBIBYTE
