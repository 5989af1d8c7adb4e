"""Callbacks of a run: which weights are in the model when."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from comparison import numpy
from keras_segformer import SegFormer
from keras_segformer.training import callbacks
from keras_segformer.training.callbacks import CheckpointCallback, Pictures, RawWeights, RunProgress
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.run_state import RunState
from tiny import light_segmenter

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture
def batch() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (2, 32, 32, 3)), generator.integers(0, 5, (2, 32, 32))


@pytest.fixture
def model() -> SegFormer:
    model = light_segmenter()
    model.compile(GroupedAdamW(1e-3, use_ema=True), metrics=[], run_eagerly=True)
    return model


def trained(model: SegFormer) -> list[np.ndarray]:
    return [numpy(variable) for variable in model.trainable_variables]


def differ(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return any(not np.array_equal(one, other) for one, other in zip(some, others, strict=True))


class AtEpochEnd(keras.callbacks.Callback):
    """Keeps the weights as the last epoch leaves them."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.weights = trained(self.model)


def test_fit_leaves_the_weights_instead_of_their_average(model, batch):
    last = AtEpochEnd()
    model.fit(*batch, epochs=3, verbose=0, callbacks=[last, RawWeights()])
    assert not differ(trained(model), last.weights)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    assert differ(trained(model), last.weights)


def test_pictures_are_drawn_with_the_averaged_weights(model, batch, tmp_path, monkeypatch):
    model.fit(*batch, epochs=3, verbose=0, callbacks=[RawWeights()])
    before, seen = trained(model), []
    monkeypatch.setattr(callbacks, "segment", lambda model, image, size: seen.append(trained(model)) or image[..., 0])
    pictures = Pictures(tmp_path, [np.zeros((32, 32, 3), np.uint8)])
    pictures.set_model(model)
    pictures.on_epoch_end(0)
    assert not differ(trained(model), before)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    assert differ(seen[0], before)
    assert not differ(seen[0], trained(model))


def test_pictures_smaller_than_the_network_takes_are_logged(tmp_path):
    model = light_segmenter()
    model.compile(run_eagerly=True)
    pictures = Pictures(tmp_path, [np.zeros((20, 24, 3), np.uint8)])
    pictures.set_model(model)
    pictures.on_epoch_end(0)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_epoch_is_one_line_in_a_narrow_terminal(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    progress = RunProgress(RunState(tmp_path), steps_per_epoch=1, epochs=1)
    progress.on_epoch_end(0, dict.fromkeys(("loss", "val_loss", "val_mean_iou", "val_pixel_accuracy"), 0.5))
    progress.close()
    line = "epoch 1: loss 0.5000, validation loss 0.5000, mean IoU 0.5000, pixel accuracy 0.5000"
    assert line in capsys.readouterr().err.splitlines()


def test_a_run_that_diverged_ends(tmp_path):
    model = light_segmenter()
    model.compile(run_eagerly=True)
    checkpoints = CheckpointCallback(RunState(tmp_path), batch_size=1)
    checkpoints.set_model(model)
    weights = model.trainable_variables[0]
    weights.assign(np.full(weights.shape, np.nan))
    with pytest.raises(ValueError, match=r"diverged: in epoch 3 .*; begin anew with a lower `schedule.rate`"):
        checkpoints.on_epoch_end(2)
    assert not list(tmp_path.iterdir())
