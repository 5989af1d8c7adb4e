"""The memory that a process needs to run a TF Lite file."""

from __future__ import annotations

import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.errors import MissingExtraError
from keras_segformer.runtime.isolated_runner import WorkerProcess

from ..tflite.content import content_of

_MEBIBYTE = 2**20
# Libraries of linear algebra reserve memory for every core, which the file does not need.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def run_in_process(
    file: bytes | str | os.PathLike[str],
    threads: int = 1,
    runs: int = 5,
    limit_bytes: int | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Run a file in a new process that imports nothing but NumPy and LiteRT.

    Args:
        file: The path of the file, or its content.
        threads: Number of threads.
        runs: How often it runs.
        limit_bytes: Hard limit of the address space of the process; `None` for no limit.
        name: What error messages call the file; its path by default.

    Returns:
        `load_seconds`, `first_seconds`, `median_seconds`, `peak_bytes` of the process, `peak_bytes_of_file`, the part
        that the file adds to it, and `checksum`, the sum of the outputs.

    Raises:
        FileNotFoundError: There is no such file.
        MemoryError: The file does not run within the limit.
        ValueError: It does not run without a limit.
        MissingExtraError: LiteRT is not installed: TensorFlow needs more memory, and other times for integers.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingExtraError("ai-edge-litert", "mobile")
    name = name or ("the file" if isinstance(file, bytes) else os.fspath(file))
    with private_copy(content_of(file)) as path:
        try:
            return _measure(WorkerProcess(name, _ONE_THREAD), path, threads, runs, limit_bytes)
        except ValueError as error:
            if limit_bytes is None:
                raise
            raise MemoryError(f"'{name}' does not run within {limit_bytes / _MEBIBYTE:.0f} MiB.") from error


def smallest_limit(
    file: bytes | str | os.PathLike[str], on_try: Callable[[], None] | None = None, name: str | None = None
) -> int:
    """Find the smallest address space in which a file runs and computes the same.

    Args:
        file: The path of the file, or its content.
        on_try: Called after every run.
        name: What error messages call the file; its path by default.

    Returns:
        Bytes, to 2 MiB. It includes Python, NumPy and the libraries of the runtime.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file does not run at all.
    """
    expected = run_in_process(file, runs=1, name=name)["checksum"]

    def runs(mebibytes: int) -> bool:
        try:
            return run_in_process(file, runs=1, limit_bytes=mebibytes * _MEBIBYTE, name=name)["checksum"] == expected
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


@contextmanager
def private_copy(content: bytes) -> Iterator[Path]:
    """Write a file into a folder of its own, for processes that have to open what has been checked by its path.

    Args:
        content: The content of the file.

    Yields:
        The path. The file is deleted in the end.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        yield path


def _measure(worker: WorkerProcess, path: Path, threads: int, runs: int, limit_bytes: int | None) -> dict[str, Any]:
    try:
        worker.request("import_runtime")
        if limit_bytes is not None:
            worker.request("limit_memory", limit_bytes=limit_bytes)
        before, _ = worker.request("peak_bytes")
        start = time.perf_counter()
        inputs, _ = worker.load(path=str(path), num_threads=threads)
        load_seconds = time.perf_counter() - start
        worker.request("set_inputs", tuple(np.full(each.shape, 100, each.dtype) for each in inputs))
        seconds = [worker.request("invoke")[0] for _ in range(runs)]
        _, outputs = worker.request("read_outputs")
        peak, _ = worker.request("peak_bytes")
        worker.close()  # names the signal if the file kills the process at last
    finally:
        worker.kill()
    return {
        "load_seconds": load_seconds,
        "first_seconds": seconds[0],
        "median_seconds": statistics.median(seconds[1:] or seconds),
        "peak_bytes": peak,
        "peak_bytes_of_file": peak - before,
        "checksum": float(np.sum(outputs[0], dtype=np.float64)),
    }
