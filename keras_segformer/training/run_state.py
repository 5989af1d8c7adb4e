"""The state of a training run on disk, which survives that the run is killed at any moment."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segformer.files import atomic_folder, write_bytes
from keras_segformer.json_text import read_json
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets import save_keras_folder
from keras_segformer.presets.weights_file import weights_bytes

MONITOR = "val_mean_iou"

_CHECKPOINTS = "checkpoints"
_BEST = "best"
_WEIGHTS = "state.weights.h5"
_RANDOM = "random.npz"
_HISTORY = "history.json"

Row = dict[str, float]


@dataclasses.dataclass
class RunState:
    """The last complete checkpoint of a run, and its best weights.

    Every checkpoint is a folder of its own, named after its epoch, that appears whole or not at all; older ones are
    removed afterwards. The best weights are stored in the same way, before the checkpoint that refers to them: a run
    that is killed in between repeats the epoch and writes them again.

    Args:
        folder: The folder of the run.
        history: A row of figures per finished epoch.
    """

    folder: Path
    history: list[Row] = dataclasses.field(default_factory=list)

    @property
    def epoch(self) -> int:
        """Epochs finished."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, with the best score; the first of equals. 0 where none is finished."""
        scores = [row[MONITOR] for row in self.history]
        return int(np.argmax(scores)) + 1 if scores else 0

    @property
    def best_preset(self) -> Path:
        """The preset folder of the best epoch."""
        return self.folder / _BEST / _name(self.best_epoch)

    @classmethod
    def read(cls, folder: Path) -> RunState:
        """Reads the last checkpoint of a run.

        Args:
            folder: The folder of the run; it may be missing.

        Returns:
            The state, which is empty if no epoch was finished.
        """
        checkpoints = _numbered(folder / _CHECKPOINTS)
        if not checkpoints:
            return cls(folder)
        return cls(folder, read_json(checkpoints[-1] / _HISTORY))

    def restore(self, model: keras.Model) -> None:
        """Sets weights, optimizer and random generators of a compiled model to those of the checkpoint.

        Args:
            model: The model of the run.
        """
        checkpoint = self.folder / _CHECKPOINTS / _name(self.epoch)
        model.optimizer.build(model.trainable_variables)
        model.load_weights(checkpoint / _WEIGHTS)
        with np.load(checkpoint / _RANDOM) as values:
            for variable, name in zip(_random_generators(model), values.files, strict=True):
                variable.assign(values[name])

    def save(self, model: SegFormerNetwork, row: Row, writes: bool = True) -> None:
        """Adds an epoch.

        Args:
            model: The compiled model.
            row: The figures of the epoch.
            writes: Whether this process writes files. Of several processes, which all compute, one does.
        """
        self.history.append(row)
        if self.best_epoch == self.epoch:
            with averaged_weights(model):
                if writes:
                    save_keras_folder(model, self.best_preset, overwrite=True)
        if not writes:
            return
        checkpoint = self.folder / _CHECKPOINTS / _name(self.epoch)
        with atomic_folder(checkpoint, overwrite=True) as temporary:
            write_bytes(temporary / _WEIGHTS, weights_bytes(model))
            np.savez(temporary / _RANDOM, *map(keras.ops.convert_to_numpy, _random_generators(model)))
            (temporary / _HISTORY).write_text(json.dumps(self.history), encoding="utf-8")
        _remove_others(checkpoint)
        _remove_others(self.best_preset)


def _random_generators(model: keras.Model) -> list[keras.Variable]:
    """The random states of dropout and stochastic depth, which Keras counts as variables but not as weights."""
    others = {id(variable) for variable in (*model.weights, *model.metrics_variables)}
    return [variable for variable in model.variables if id(variable) not in others]


def uses_average(model: keras.Model) -> bool:
    """Whether the optimizer keeps a moving average of the weights (`use_ema`).

    Args:
        model: A compiled model.
    """
    return getattr(model.optimizer, "inner_optimizer", model.optimizer).use_ema


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Replaces the weights by the optimizer's moving average, if it keeps one, within a block.

    Args:
        model: A compiled model.
    """
    if not uses_average(model):
        yield
        return
    weights = [keras.ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    model.optimizer.finalize_variable_values(model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, weights, strict=True):
            variable.assign(value)


def _name(epoch: int) -> str:
    return f"epoch_{epoch:05d}"


def _numbered(folder: Path) -> list[Path]:
    """The complete folders in the order of their epochs; the names of temporary ones begin with a dot."""
    return sorted(folder.glob("epoch_*"))


def _remove_others(kept: Path) -> None:
    for folder in kept.parent.iterdir():
        if folder != kept:
            shutil.rmtree(folder, ignore_errors=True)


def row_of(logs: dict[str, Any]) -> Row:
    """The figures of an epoch as plain numbers.

    Args:
        logs: The metrics that Keras passes to callbacks.

    Returns:
        The metrics as Python floats.
    """
    return {name: float(value) for name, value in logs.items()}
