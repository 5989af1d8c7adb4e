"""Files against each other."""

from __future__ import annotations

import dataclasses
import functools
import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_segformer.evaluation.interpreter import make_interpreter

from ..progress import OnStep, silent
from ..tflite.arena import arena_bytes
from ..tflite.content import content_of
from .process_memory import run_in_process
from .timing import seconds_in_turn


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileFigures:
    """The figures of a file.

    Args:
        file_bytes: Size of the file.
        arena_bytes: What the interpreter lays out for tensors where no delegate takes part.
        peak_bytes: The most memory that a process held which loaded and ran the file, with Python, NumPy and the
            runtime.
        added_bytes: How much of that the file added.
        load_seconds: From the file's name to the first possible run.
        seconds: Median of a run, by the number of threads.
        ratio: Median of the ratios to the first file, round by round, by the number of threads.
    """

    file_bytes: int
    arena_bytes: int
    peak_bytes: int
    added_bytes: int
    load_seconds: float
    seconds: Mapping[int, float]
    ratio: Mapping[int, float]

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON has them."""
        return dataclasses.asdict(self)


def benchmark(
    paths: Sequence[str | os.PathLike[str]],
    threads: Sequence[int] = (1, 2, 4),
    rounds: int = 30,
    on_step: OnStep = silent,
) -> dict[str, FileFigures]:
    """Measure files against each other with LiteRT on the CPU.

    Args:
        paths: The `.tflite` files; the first is what others are compared with.
        threads: Numbers of threads.
        rounds: How often every file runs with every number of threads, in turn with the others.
        on_step: Told of the progress.

    Returns:
        The figures by the names of the files as they were given.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A file is broken, or there is none.
        RuntimeError: A file does not run.

    Example:

    ```python
    figures = benchmark(["b0.tflite", "b0_int8.tflite"], threads=[1])
    figures["b0_int8.tflite"].ratio[1]
    ```
    """
    if not paths:
        raise ValueError("There is no file to measure; name some.")
    contents = {os.fspath(path): content_of(path) for path in paths}
    advance = on_step("Running alone", len(contents))
    alone = {}
    for name in contents:
        alone[name] = run_in_process(name)
        advance()
    seconds = {
        count: seconds_in_turn({name: _runner(each, count) for name, each in contents.items()}, rounds, on_step)
        for count in threads
    }
    first = next(iter(contents))
    return {
        name: FileFigures(
            file_bytes=len(content),
            arena_bytes=arena_bytes(content),
            peak_bytes=alone[name]["peak_bytes"],
            added_bytes=alone[name]["peak_bytes_of_file"],
            load_seconds=alone[name]["load_seconds"],
            seconds={count: statistics.median(each[name]) for count, each in seconds.items()},
            ratio={count: _ratio(each[name], each[first]) for count, each in seconds.items()},
        )
        for name, content in contents.items()
    }


def _runner(content: bytes, threads: int) -> functools.partial[None]:
    interpreter = make_interpreter(content, num_threads=threads)
    generator = np.random.default_rng(0)
    for details in interpreter.get_input_details():
        image = generator.uniform(0, 255, details["shape"])
        interpreter.set_tensor(details["index"], image.astype(details["dtype"]))
    return functools.partial(interpreter.invoke)


def _ratio(mine: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(own / other for own, other in zip(mine, others, strict=True))
