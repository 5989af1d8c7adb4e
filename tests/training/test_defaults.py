from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.training.defaults import default_schedule, fit_schedule, steps_of_fit


class Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        raise AssertionError("only its length is asked")


class Loader:
    """A `DataLoader` of PyTorch counts in batches."""

    def __len__(self) -> int:
        return 7


@pytest.mark.parametrize(
    ("data", "arguments", "steps"),
    [
        (np.zeros((70, 3)), {}, 9),
        (np.zeros((70, 3)), {"batch_size": None}, 3),
        (np.zeros((70, 3)), {"split": 0.2}, 7),
        (np.zeros((70, 3)), {"epochs": 5, "initial_epoch": 2}, 27),
        (tf.zeros((70, 3)), {}, 9),
        (tf.data.Dataset.range(14).batch(2), {}, 7),
        (tf.data.Dataset.range(14).batch(2).repeat(), {}, None),
        (tf.data.Dataset.range(14).batch(2).repeat(), {"steps_per_epoch": 5, "epochs": 2}, 10),
        (Batches(), {"epochs": 2}, 14),
        (Loader(), {"epochs": 2}, 14),
        (iter(()), {}, None),
        (np.zeros((70, 3)), {"epochs": 2, "initial_epoch": 2}, None),
    ],
)
def test_steps_of_fit(data, arguments, steps):
    defaults = {"batch_size": 8, "epochs": 1, "initial_epoch": 0, "steps_per_epoch": None, "split": 0.0}
    assert steps_of_fit(data, **defaults | arguments) == steps


@pytest.mark.parametrize(("total", "warmup"), [(40, 4), (100_000, 1_500)])
def test_schedules_are_as_long_as_the_run(total, warmup):
    schedule = default_schedule()
    fit_schedule(schedule, first_step=10, total_steps=total)
    assert (schedule.first_step, schedule.total_steps, schedule.warmup_steps) == (10, total, warmup)
    assert float(schedule(10 + total)) == 0


def test_schedules_of_unknown_length_stay():
    schedule = default_schedule()
    fit_schedule(schedule, first_step=0, total_steps=None)
    assert float(schedule(1_500)) == float(schedule(10**7)) == pytest.approx(6e-5)
    fit_schedule(schedule, first_step=0, total_steps=100)
    assert float(schedule(100)) == 0
