"""Comparison of the time and memory of several TF Lite files."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_segformer.runtime import IsolatedRunner

from ..progress import Progress, silent
from ..tflite.arena import arena_bytes
from ..tflite.content import content_of
from .process_memory import run_in_process
from .timing import seconds_in_turn


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileFigures:
    """Time and memory of a file.

    Args:
        file_bytes: Size of the file.
        arena_bytes: Memory of the tensors without delegates, weights excluded.
        peak_bytes: Peak memory of a process that loads and runs the file, with Python, NumPy and the runtime.
        added_bytes: The part of it that the file adds.
        load_seconds: Time to load the file.
        seconds: Median time of a run, by the number of threads.
        ratio: Median of the ratios of its time to that of the first file in every round, by the number of threads.
    """

    file_bytes: int
    arena_bytes: int
    peak_bytes: int
    added_bytes: int
    load_seconds: float
    seconds: Mapping[int, float]
    ratio: Mapping[int, float]

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures as JSON stores them."""
        return dataclasses.asdict(self)


def benchmark(
    paths: Sequence[str | os.PathLike[str]],
    threads: Sequence[int] = (1, 2, 4),
    rounds: int = 30,
    progress: Progress = silent,
) -> dict[str, FileFigures]:
    """Compare time and memory of files on the CPU, each in processes of its own.

    Args:
        paths: The `.tflite` files; the others are compared with the first.
        threads: Numbers of threads.
        rounds: How often every file runs with every number of threads, in turn with the others.
        progress: Called with progress updates.

    Returns:
        The figures by the paths as given.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: No file is given, or one is damaged or kills the process that runs it.
        MissingExtraError: LiteRT is not installed.

    Example:

    ```python
    figures = benchmark(["b0.tflite", "b0_int8.tflite"], threads=[1])
    figures["b0_int8.tflite"].ratio[1]
    ```
    """
    if not paths:
        raise ValueError("There is no file to measure; name some.")
    contents = {os.fspath(path): content_of(path) for path in paths}
    advance = progress("Running alone", len(contents))
    alone = {}
    for name, content in contents.items():
        alone[name] = run_in_process(content, name=name)
        advance()
    seconds = {count: _seconds_in_turn(contents, count, rounds, progress) for count in threads}
    first = next(iter(contents))
    return {
        name: FileFigures(
            file_bytes=len(content),
            arena_bytes=arena_bytes(content, isolated_as=name),
            peak_bytes=alone[name]["peak_bytes"],
            added_bytes=alone[name]["peak_bytes_of_file"],
            load_seconds=alone[name]["load_seconds"],
            seconds={count: statistics.median(each[name]) for count, each in seconds.items()},
            ratio={count: _ratio(each[name], each[first]) for count, each in seconds.items()},
        )
        for name, content in contents.items()
    }


def _seconds_in_turn(
    contents: Mapping[str, bytes], threads: int, rounds: int, progress: Progress
) -> dict[str, list[float]]:
    with contextlib.ExitStack() as runners:
        runs = {}
        for name, content in contents.items():
            runner = runners.enter_context(IsolatedRunner(content, name, threads))
            runner.set_inputs(*_random_inputs(runner))
            runs[name] = runner.invoke
        return seconds_in_turn(runs, rounds, progress)


def _random_inputs(runner: IsolatedRunner) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.uniform(0, 255, each.shape) for each in runner.inputs]


def _ratio(mine: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(own / other for own, other in zip(mine, others, strict=True))
