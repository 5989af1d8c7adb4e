"""A program that trains in processes that kill themselves at chosen moments: `killed_run.py RECIPE DATA RUNS`.

`RUNS` is a JSON list of `[folder, moment, number]`, or of `[folder]` for a run that lives. Each is a fork of this
process, which has imported TensorFlow but not started it; importing it takes longer than the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_segformer.ops import _xla_kernels
from keras_segformer.presets import keras_folder
from keras_segformer.segformer import SegFormer
from keras_segformer.training import callbacks, run_state
from keras_segformer.training.recipe import load_recipe
from keras_segformer.training.run import train
from keras_segformer.training.run_settings import RunSettings


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def counted(function: Callable[..., Any], number: int) -> Callable[..., Any]:
    """The function, which kills the process when it is called for the `number`-th time."""
    calls = iter(range(1, number + 1))

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == number:
            die()
        return function(*args, **kwargs)

    return call


def dying_folder(atomic_folder: Callable[..., Any], number: int) -> Callable[..., Any]:
    """`atomic_folder`, which kills the process when the `number`-th folder is full but not yet renamed."""
    calls = iter(range(1, number + 1))

    @contextlib.contextmanager
    def folder(*args: Any, **kwargs: Any) -> Any:
        with atomic_folder(*args, **kwargs) as temporary:
            yield temporary
            if next(calls) == number:
                die()

    return folder


def arm(moment: str, number: int) -> None:
    """Sets the trap."""
    if moment == "step":
        callbacks.RunProgress.on_train_batch_end = counted(callbacks.RunProgress.on_train_batch_end, number)
    elif moment == "best":
        keras_folder.atomic_folder = dying_folder(keras_folder.atomic_folder, number)
    elif moment == "checkpoint":
        run_state.atomic_folder = dying_folder(run_state.atomic_folder, number)
    elif moment == "removal":
        run_state._remove_others = counted(run_state._remove_others, number)
    elif moment == "table":
        callbacks.write_history = counted(callbacks.write_history, number)
    else:
        raise ValueError(moment)


def train_in_a_fork(recipe: str, data: Path, output: Path, *trap: Any) -> int:
    """What the process ended with: 0, an error's number, or minus the number of a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        if trap:
            arm(*trap)
        settings = RunSettings(output, data=data, cache=output.parent / "cache", resume=True, deterministic=True)
        train(SegFormer, load_recipe(recipe), settings)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    recipe, data, runs = sys.argv[1:]
    _xla_kernels._xla_runs = lambda: False  # compiling the kernels takes longer than training without them
    for output, *trap in json.loads(runs):
        code = train_in_a_fork(recipe, Path(data), Path(output), *trap)
        wanted = -signal.SIGKILL if trap else 0
        if code != wanted:
            sys.exit(f"{output}, {trap}: ended with {code} instead of {wanted}")
