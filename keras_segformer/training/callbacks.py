"""Callbacks that act at the end of every epoch."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from keras_segformer.files import atomic_file
from keras_segformer.models import SegFormerNetwork
from keras_segformer.models.segformer import MIN_IMAGE_SIZE
from keras_segformer.predict import segment
from keras_segformer.progress_console import progress_console
from keras_segformer.training.run_state import MONITOR, Row, RunState, averaged_weights, row_of
from keras_segformer.visualization import overlay


class CheckpointCallback(keras.callbacks.Callback):
    """Writes checkpoint, best weights and `history.csv` after every epoch.

    The table is rewritten from the history in the checkpoint. A table that is appended to would hold epochs twice, or
    epochs that a killed run has to repeat.

    Args:
        state: The state of the run.
        batch_size: Pictures of a step, for the column of pictures per second.
        writes: Whether this process writes files.
    """

    def __init__(self, state: RunState, batch_size: int, writes: bool = True) -> None:
        super().__init__()
        self.state = state
        self.batch_size = batch_size
        self.writes = writes

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = time.perf_counter()
        self._trained = 0.0

    def on_test_begin(self, logs: Any = None) -> None:
        # Keras validates within the epoch, after its last step.
        self._trained = time.perf_counter() - self._started

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not all(np.isfinite(keras.ops.convert_to_numpy(each)).all() for each in self.model.trainable_variables):
            raise ValueError(
                f"Training has diverged: in epoch {epoch + 1} weights are no longer finite numbers; begin anew with a "
                "lower `schedule.rate` (--set schedule.rate=...), or with `dtype` float32 or mixed_bfloat16."
            )
        steps = self.params["steps"]
        figures: Row = {
            "epoch": float(epoch + 1),
            "step": float((epoch + 1) * steps),
            "learning_rate": float(self.model.optimizer.learning_rate),
            "images_per_second": steps * self.batch_size / self._trained,
        }
        self.state.save(self.model, figures | row_of(logs or {}), self.writes)
        if self.writes:
            write_history(self.state.folder / "history.csv", self.state.history)


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras' early stopping, on `val_mean_iou` by default, which remembers the epochs of a resumed run.

    Args:
        history: The rows of the epochs before.
        **kwargs: Arguments of `keras.callbacks.EarlyStopping`, such as `patience`.
    """

    def __init__(self, history: Sequence[Row], **kwargs: Any) -> None:
        monitor = kwargs.pop("monitor", MONITOR)
        mode = "min" if monitor.endswith("loss") else "max"
        super().__init__(**{"monitor": monitor, "mode": mode, **kwargs})
        self._history = list(history)

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        for epoch, row in enumerate(self._history):
            self.on_epoch_end(epoch, row)


class RawWeights(keras.callbacks.Callback):
    """Leaves the trained weights in the model when `fit` ends, instead of their moving average.

    Keras replaces them by the average (`finalize_variable_values`), but the next phase of the run continues from the
    weights themselves, as a run that is resumed from a checkpoint does.
    """

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._weights = [keras.ops.convert_to_numpy(variable) for variable in self.model.trainable_variables]

    def on_train_end(self, logs: Any = None) -> None:
        for variable, value in zip(self.model.trainable_variables, self._weights, strict=True):
            variable.assign(value)


class Pictures(keras.callbacks.Callback):
    """Logs predictions for a fixed set of pictures to TensorBoard.

    Args:
        folder: TensorBoard's folder.
        images: Pictures `(H, W, 3)`, uint8.
    """

    def __init__(self, folder: Path, images: Sequence[np.ndarray]) -> None:
        super().__init__()
        self._folder = folder
        self._images = list(images)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        import tensorflow as tf

        model: SegFormerNetwork = self.model
        # With the weights that are scored and saved.
        with averaged_weights(model), tf.summary.create_file_writer(str(self._folder)).as_default(step=epoch):
            for index, image in enumerate(self._images):
                height, width = (max(MIN_IMAGE_SIZE, side) for side in image.shape[:2])
                drawn = overlay(image, segment(model, image, size=(height, width)), model.label_set)
                tf.summary.image(f"validation/{index}", drawn[None])


class RunProgress(keras.callbacks.Callback):
    """A progress bar over the whole run, with the time left and the last score.

    Args:
        state: The state of the run.
        steps_per_epoch: Steps of an epoch.
        epochs: Epochs of the run.
    """

    def __init__(self, state: RunState, steps_per_epoch: int, epochs: int) -> None:
        super().__init__()
        self._state = state
        self._total = steps_per_epoch * epochs
        self._done = steps_per_epoch * state.epoch
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("steps, elapsed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=False),
        )
        self._progress = Progress(*columns, console=progress_console(), speed_estimate_period=600)

    def on_train_begin(self, logs: Any = None) -> None:
        self._progress.start()
        self._task = self._progress.add_task("Training", total=self._total, completed=self._done)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._progress.advance(self._task)

    def on_test_begin(self, logs: Any = None) -> None:
        self._progress.update(self._task, description="Validating")

    def on_test_end(self, logs: Any = None) -> None:
        self._progress.update(self._task, description="Training")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        self._progress.console.print(
            f"epoch {epoch + 1}: loss {logs['loss']:.4f}, validation loss {logs['val_loss']:.4f}, mean IoU "
            f"{logs['val_mean_iou']:.4f}, pixel accuracy {logs['val_pixel_accuracy']:.4f}",
            highlight=False,
            soft_wrap=True,  # one line, however narrow the terminal
        )

    def close(self) -> None:
        """Removes the bar from the terminal, also after an interruption."""
        self._progress.stop()


def write_history(path: Path, history: Sequence[Row]) -> None:
    """Writes the figures of all epochs as a table.

    Args:
        path: The CSV file.
        history: The rows.
    """
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)
