"""Three steps of AdamW against the losses, gradients and weights that transformers and torch computed."""

from __future__ import annotations

import dataclasses
import re

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from comparison import assert_close
from keras_segformer import SegFormer
from keras_segformer.presets.layouts import TRANSFORMERS
from keras_segformer.presets.torch_weights import to_state_dict
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW

pytestmark = pytest.mark.backend

RATE, BETA_1, STEPS = 1e-3, 0.9, 3
BATCH_NORM_MOMENTUM = 0.9
# In the second step one of the decoder's ReLUs has an input of 2e-6, which float32 rounds to either side of zero, as
# the kernels of the processor have it. On torch's side all weights end within 4e-6 of torch's, and on the other, which
# the third loss shows, within 1.2e-4.
SAME_RELUS, AFTER_STEPS, AFTER_ANOTHER_RELU = 2e-6, 1e-4, 5e-4
PIXELS = 2 * 16 * 24
"""Positions that batch norm averages over: the batch at a quarter of 64x96."""

# Adding a constant to every key changes no softmax, and batch norm subtracts whatever constant its input has: the
# biases of the decoder's linear maps, and the shift of the last stage's norm, which only the decoder reads. The true
# gradient of these is zero, what a computer finds is rounding, and Adam divides the rounding by its own size.
WITHOUT_GRADIENT = re.compile(r"self\.key\.bias|linear_c\.\d\.proj\.bias|encoder\.layer_norm\.3\.bias")
MEAN, VARIANCE = "decode_head.batch_norm.running_mean", "decode_head.batch_norm.running_var"
NOT_TRAINED = {MEAN, VARIANCE, "decode_head.batch_norm.num_batches_tracked"}


@dataclasses.dataclass
class Training:
    """What three steps left, and what they should have; tensors by the name that torch gives them."""

    losses: list[float]
    expected_losses: list[float]
    gradients: dict[str, np.ndarray]
    expected_gradients: dict[str, np.ndarray]
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    expected_after: dict[str, np.ndarray]

    @property
    def tolerance(self) -> float:
        """How far the weights may be from torch's, relative to the norm of a tensor."""
        difference = abs(self.losses[-1] - self.expected_losses[-1])
        return AFTER_STEPS if difference < SAME_RELUS else AFTER_ANOTHER_RELU


@pytest.fixture(scope="module")
def training(shared):
    folder = shared / "golden/tiny_hf"
    expected = np.load(folder / "expected.npz")
    model = SegFormer.from_preset(folder, drop_path_rate=0.0, decoder_dropout=0.0)
    images = expected["train.input"] * np.float32(model.config.image_std) + np.float32(model.config.image_mean)
    optimizer = GroupedAdamW(RATE, weight_decay=0.01, beta_1=BETA_1, beta_2=0.999, epsilon=1e-8, groups=())
    model.compile(optimizer, SegmentationLoss(), metrics=[], jit_compile=keras.backend.backend() == "jax")
    before, losses = to_state_dict(model, TRANSFORMERS), []
    for step in range(STEPS):
        model.reset_metrics()  # before Keras 3.11 `train_on_batch` returns the mean over all calls
        losses.append(float(model.train_on_batch(images, expected["train.labels"])))
        if step == 0:
            momentums = [keras.ops.convert_to_numpy(v) for v in optimizer.variables if v.path.endswith("momentum")]
    after = to_state_dict(model, TRANSFORMERS)
    # After one step the average of the gradients is a tenth of the gradient. As values of the model's own variables the
    # gradients get torch's names and axes like weights.
    for variable, momentum in zip(model.trainable_variables, momentums, strict=True):
        variable.assign(momentum / (1 - BETA_1))
    return Training(
        losses,
        [float(expected[f"train.loss{step}"]) for step in range(STEPS)],
        to_state_dict(model, TRANSFORMERS),
        {k: v for k, v in load_file(folder / "gradients_step0.safetensors").items() if k not in NOT_TRAINED},
        before,
        after,
        load_file(folder / "after_3_adamw_steps.safetensors"),
    )


def test_losses(training):
    assert training.losses == pytest.approx(training.expected_losses, rel=0, abs=1e-5)


def test_every_gradient(training):
    largest = max(np.linalg.norm(gradient) for gradient in training.expected_gradients.values())
    for name, expected in training.expected_gradients.items():
        if WITHOUT_GRADIENT.search(name):
            assert np.linalg.norm(training.gradients[name]) < 1e-6 * largest, name
        else:
            assert_close(training.gradients[name], expected, 1e-4, name)


def test_no_gradient_goes_unchecked(training):
    trained = set(training.after) - NOT_TRAINED
    assert set(training.expected_gradients) == trained
    assert len([name for name in trained if WITHOUT_GRADIENT.search(name)]) == 5 + 4 + 1


def test_weights_after_three_steps(training):
    for name in training.expected_gradients:
        if WITHOUT_GRADIENT.search(name):
            # Whatever the rounding was, a step of Adam is hardly longer than the rate.
            assert np.abs(training.after[name] - training.expected_after[name]).max() < 2 * STEPS * RATE, name
        else:
            assert_close(training.after[name], training.expected_after[name], training.tolerance, name)


def test_batch_norm_keeps_the_biased_variance(training):
    """torch multiplies the variance of every batch by N / (N - 1) before it averages; Keras, and so we, do not."""
    left_of_before = BATCH_NORM_MOMENTUM**STEPS * training.before[VARIANCE]
    ours, torchs = training.after[VARIANCE] - left_of_before, training.expected_after[VARIANCE] - left_of_before
    # Without the factor they would be 1.3e-3 apart.
    assert_close(ours, torchs * (PIXELS - 1) / PIXELS, training.tolerance)


def test_batch_norm_keeps_the_mean(training):
    # The biases in front of it have no gradient (see above), so from the second step on the means part by their drift.
    assert_close(training.after[MEAN], training.expected_after[MEAN], 2e-3)


def test_the_parameters_are_those_of_torch(training):
    assert {name: array.shape for name, array in training.after.items()} == {
        name: array.shape for name, array in training.expected_after.items()
    }
