"""Many devices make the step that one makes. They train in processes of their own, as a process sets devices once."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

from keras_segformer.ops import num_replicas
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.strategies import STRATEGIES, Devices, open_strategy

sys.path.insert(0, str(Path(__file__).parent))
from few_steps import BATCH_SIZE, SIZE, STEPS, TRAINING, VALIDATION, examples, labelled_pixels, train

Runs = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]

PROGRAM = Path(__file__).parent / "few_steps.py"
EVERYTHING = {"class_weights": [1, 2, 3, 0.5, 1], "dice_weight": 0.5}
AVERAGED = {"light": True, "loss": EVERYTHING, "optimizer": {"use_ema": True, "ema_momentum": 0.5}}
# `mirrored` refuses to clip; here the gradients are those of the global batch.
LIGHT = {"light": True, "loss": EVERYTHING, "optimizer": {"global_clipnorm": 0.1}}
TWO_DEVICES = {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"}
ABOUT = {"replicas", "synchronized", "labels"}
# How many pixels of a label the scores count.
PIXELS = {
    "mean_iou": STEPS * BATCH_SIZE // TRAINING * labelled_pixels(TRAINING),
    "val_mean_iou": labelled_pixels(VALIDATION),
}
TURNED = 2
"""Labels that rounding may turn."""


def start(folder: Path, backend: str, *strategies: str, variables: dict[str, str] | None = None, **changes: Any):
    """Starts a process that trains with one strategy after the other; `finish` waits for it."""
    settings = {"strategies": strategies, "light": False, "cpus": 1, "optimizer": {}, "loss": {}} | changes
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"} | (variables or {})
    command = [sys.executable, str(PROGRAM), str(folder), json.dumps(settings)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors[-3000:]


def run_mirrored(folder: Path, **changes: Any) -> Runs:
    """What is left by training on a single device and on two."""
    finish(start(folder, "tensorflow", "none", "mirrored", cpus=2, **changes))
    return dict(np.load(folder / "none.npz")), dict(np.load(folder / "mirrored.npz"))


def run_data_parallel(folder: Path, **changes: Any) -> Runs:
    """The same on JAX."""
    finish(start(folder, "jax", "none", "data-parallel", variables=TWO_DEVICES, **changes))
    return dict(np.load(folder / "none.npz")), dict(np.load(folder / "data-parallel.npz"))


def assert_same_training(many: dict[str, np.ndarray], one: dict[str, np.ndarray]) -> None:
    """Every weight, state of the optimizer, batch norm statistic and loss to 1e-5, and the scores to a few labels."""
    assert many.keys() == one.keys()
    compared = many.keys() - ABOUT
    assert len(compared) > 60
    for name in compared:
        error = np.linalg.norm(np.float64(many[name]) - one[name])
        if name in PIXELS:
            # Rounding may turn labels that are in the balance. Each adds 1 to or takes it from the intersection or the
            # union of two classes of NUM_CLASSES, whose unions are at least the pixels of their label.
            assert error <= TURNED * 2 / PIXELS[name], (name, error)
            continue
        # Some gradients are zero but for rounding, and with them what Adam makes of them.
        # The true gradient of a bias before batch norm is zero: Adam steps by what rounding leaves of it, and batch
        # norm's mean follows.
        is_before_batch_norm = re.search("decoder.fusion.linear.*_bias|batch_norm.moving_mean", name) is not None
        assert error <= 1e-5 * np.linalg.norm(one[name]) + (5e-5 if is_before_batch_norm else 1e-6), (name, error)
    if many["labels"].size:  # several processes do not predict
        assert np.mean(many["labels"] == one["labels"]) > 0.99


@pytest.fixture(scope="module")
def tensorflow_runs(tmp_path_factory):
    return run_mirrored(tmp_path_factory.mktemp("tensorflow"), **AVERAGED)


@pytest.fixture(scope="module")
def jax_runs(tmp_path_factory):
    return run_data_parallel(tmp_path_factory.mktemp("jax"), **LIGHT)


class TestMirrored:
    @pytest.mark.slow
    @pytest.mark.old_versions
    def test_two_devices_are_one(self, tensorflow_runs):
        one, two = tensorflow_runs
        assert (one["replicas"], two["replicas"]) == (1, 2)
        assert (bool(one["synchronized"]), bool(two["synchronized"])) == (False, True)
        assert_same_training(two, one)

    @pytest.mark.slow
    @pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="trains in this process")
    def test_training_moves_the_weights_further_than_that(self, tensorflow_runs):
        """The comparison would notice a device without its own part of the batch."""
        other = train("none", **AVERAGED | {"loss": {"dice_weight": 1.0}})
        with pytest.raises(AssertionError):
            assert_same_training(other, tensorflow_runs[0])

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "settings",
        [{"light": False}, {"light": True, "loss": {"hard_example_threshold": 0.3, "min_kept": 1e-6}}],
        ids=["the whole network", "hard examples"],
    )
    def test_two_devices_are_one_in_other_settings(self, tmp_path, settings):
        one, two = run_mirrored(tmp_path, **settings)
        assert_same_training(two, one)


class TestDataParallel:
    @pytest.mark.slow
    @pytest.mark.skipif(
        Version(importlib.metadata.version("jax")) < Version("0.6"),
        reason="old JAX cannot place values on devices of other processes",
    )
    def test_two_processes_are_one(self, jax_runs, tmp_path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        processes = []
        for worker in (0, 1):
            variables = {
                "KERAS_DISTRIBUTION_JOB_ADDRESSES": address,
                "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
                "KERAS_DISTRIBUTION_PROCESS_ID": str(worker),
            }
            folder = tmp_path / str(worker)
            folder.mkdir()
            processes.append(start(folder, "jax", "data-parallel", variables=variables, **LIGHT))
        for process in processes:
            finish(process)
        assert not list((tmp_path / "1").iterdir())  # only the chief reports
        one, two = jax_runs[0], dict(np.load(tmp_path / "0/data-parallel.npz"))
        assert (one["replicas"], two["replicas"]) == (1, 2)
        assert_same_training(two, one)

    @pytest.mark.slow
    def test_two_devices_of_a_process_are_one(self, jax_runs):
        one, two = jax_runs
        assert two["replicas"] == 2
        assert_same_training(two, one)

    @pytest.mark.slow
    def test_the_whole_network(self, tmp_path):
        one, two = run_data_parallel(tmp_path)
        assert_same_training(two, one)


class TestErrors:
    def test_unknown_strategy(self):
        with pytest.raises(ValueError, match=f"no strategy 'multi'; the strategies are {', '.join(STRATEGIES)}"):
            open_strategy("multi")

    @pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of the TensorFlow backend")
    def test_data_parallel_needs_jax(self):
        with pytest.raises(ValueError, match=r"data-parallel needs the jax backend.*set KERAS_BACKEND=jax"):
            open_strategy("data-parallel")

    def test_uneven_batch(self):
        with pytest.raises(ValueError, match=r"batch of 10 cannot be divided evenly among 4 devices.*multiple of 4"):
            Devices(num_replicas=4).check_batch_size(10)

    @pytest.mark.parametrize(
        "options", [{"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}, {"gradient_accumulation_steps": 2}]
    )
    def test_options_that_mirrored_gets_wrong(self, options):
        (name,) = options
        with pytest.raises(ValueError, match=f"mirrored Keras applies {name} to the gradients of single devices"):
            Devices("mirrored", num_replicas=2).check_optimizer(GroupedAdamW(**options))
        Devices("mirrored", num_replicas=1).check_optimizer(GroupedAdamW(**options))
        Devices("data-parallel", num_replicas=2).check_optimizer(GroupedAdamW(**options))

    def test_float16_under_mirrored(self):
        scaled = keras.optimizers.LossScaleOptimizer(GroupedAdamW())
        with pytest.raises(ValueError, match=r"misses overflows of float16.*mixed_bfloat16"):
            Devices("mirrored", num_replicas=2).check_optimizer(scaled)


def test_without_a_strategy():
    with open_strategy() as devices:
        assert devices == Devices()
        assert devices.is_chief
        assert devices.can_predict
        assert devices.workers == (1, 0)
        assert num_replicas() == 1


def test_evaluation_batches_are_filled_up_with_unlabelled_pictures():
    data = examples(5, seed=1)
    shares = [list(Devices("data-parallel", 2, 2, worker).evaluation_batches(data, 3, SIZE)) for worker in (0, 1)]
    assert [len(share) for share in shares] == [2, 2]
    masks = [tf.concat([mask for _, mask in share], 0).numpy() for share in shares]
    assert [len(mask) for mask in masks] == [4, 4]
    whole = np.stack([masks[0], masks[1]], 1).reshape(8, *SIZE)
    assert (whole[5:] == 255).all()
    assert all((mask != 255).any() for mask in whole[:5])
