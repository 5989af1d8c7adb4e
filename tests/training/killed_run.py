"""A program that trains and kills itself at a chosen moment: `killed_run.py RECIPE DATA RUN [MOMENT NUMBER]`."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


if __name__ == "__main__":
    recipe, data, output, *trap = sys.argv[1:]
    if trap:
        arm(trap[0], int(trap[1]))
    settings = RunSettings(
        Path(output), data=Path(data), cache=Path(output).parent / "cache", resume=True, deterministic=True
    )
    train(SegFormer, load_recipe(recipe), settings)
