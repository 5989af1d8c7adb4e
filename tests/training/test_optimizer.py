"""AdamW with groups, against the formula of PyTorch in NumPy and the groups of the original's configs."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest

from comparison import assert_close, numpy
from keras_segformer import SegFormer
from keras_segformer.presets.layouts import TRANSFORMERS
from keras_segformer.presets.torch_weights import to_state_dict
from keras_segformer.training.optimizer import GroupedAdamW
from tiny import tiny_config

pytestmark = pytest.mark.backend

RATE, DECAY, BETA_1, BETA_2, EPSILON = 0.01, 0.1, 0.9, 0.999, 1e-8
GROUPS = ({"pattern": "bias", "rate": 1.0, "decay": 0.0}, {"pattern": "^head/", "rate": 10.0, "decay": 1.0})


def variables():
    generator = np.random.default_rng(0)
    made = []
    for name in ("body", "head"):
        layer = keras.layers.Dense(3, name=name)
        layer.build((None, 4))
        layer.set_weights([generator.normal(size=weight.shape) for weight in layer.weights])
        made += layer.trainable_variables
    return made


def gradients(count):
    generator = np.random.default_rng(1)
    shapes = [variable.shape for variable in variables()]
    return [[generator.normal(size=shape).astype("float32") for shape in shapes] for _ in range(count)]


def adamw(value, gradients, rate, decay):
    momentum = velocity = 0.0
    for step, gradient in enumerate(np.float64(gradients), start=1):
        value = value * (1 - rate * decay)
        momentum = BETA_1 * momentum + (1 - BETA_1) * gradient
        velocity = BETA_2 * velocity + (1 - BETA_2) * gradient**2
        corrected = np.sqrt(velocity / (1 - BETA_2**step)) + EPSILON
        value = value - rate * momentum / (1 - BETA_1**step) / corrected
    return value


def optimizer(**options):
    return GroupedAdamW(RATE, DECAY, BETA_1, BETA_2, EPSILON, groups=GROUPS, **options)


def apply(optimizer, steps):
    trained = variables()
    optimizer.build(trained)
    for step in steps:
        optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in step], trained)
    return trained


def test_every_group_is_adamw_of_its_rate_and_decay():
    steps = gradients(5)
    factors = {"body/kernel": (1, 1), "body/bias": (1, 0), "head/kernel": (10, 1), "head/bias": (1, 0)}
    before, after = variables(), apply(optimizer(), steps)
    assert [variable.path for variable in after] == list(factors)
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        rate, decay = factors[new.path]
        own = [step[index] for step in steps]
        assert_close(new, adamw(numpy(old), own, rate * RATE, decay * DECAY), 1e-5, new.path)


def test_groups_of_the_original():
    """`paramwise_cfg`: `pos_block` and `norm` without decay, `head` at ten times the rate."""
    model = SegFormer(tiny_config())
    torch_names = to_state_dict(model, TRANSFORMERS).keys()
    factors = [GroupedAdamW().factors(variable.path) for variable in model.trainable_variables]
    of_head = [name for name in torch_names if name.startswith("decode_head.") and "running" not in name]
    of_head = [name for name in of_head if "num_batches" not in name]
    of_norms = [name for name in torch_names if re.search(r"norm", name) and name.startswith("segformer.")]
    assert sum(factor == (10.0, 1.0) for factor in factors) == sum(
        variable.path.startswith("decoder/") for variable in model.trainable_variables
    )
    assert len(of_head) >= sum(factor == (10.0, 1.0) for factor in factors) > 0
    assert sum(factor == (1.0, 0.0) for factor in factors) == len(of_norms) > 0
    assert set(factors) == {(10.0, 1.0), (1.0, 0.0), (1.0, 1.0)}


def test_a_fixed_positional_encoding_is_not_decayed():
    model = SegFormer(tiny_config(positional_encoding="learned"))
    paths = [v.path for v in model.trainable_variables if "positional_embedding" in v.path]
    assert paths
    assert {GroupedAdamW().factors(path) for path in paths} == {(1.0, 0.0)}


class TestOptionsOfKeras:
    def test_accumulation_is_the_step_of_the_mean(self):
        steps = gradients(4)
        means = [[np.mean(pair, 0) for pair in zip(*steps[i : i + 2], strict=True)] for i in (0, 2)]
        accumulated = apply(optimizer(gradient_accumulation_steps=2), steps)
        for one, other in zip(accumulated, apply(optimizer(), means), strict=True):
            assert_close(one, other, 2e-3, one.path)

    def test_clipping(self):
        steps = [[100 * gradient for gradient in step] for step in gradients(1)]
        norm = np.sqrt(sum(np.sum(np.square(gradient)) for gradient in steps[0]))
        clipped = [[gradient / norm for gradient in steps[0]]]
        mine = optimizer(global_clipnorm=1.0)
        apply(mine, steps)
        momentums = [variable for variable in mine.variables if variable.path.endswith("momentum")]
        for momentum, gradient in zip(momentums, clipped[0], strict=True):
            assert_close(momentum, (1 - BETA_1) * gradient, 1e-5)

    def test_moving_average(self):
        averaging = optimizer(use_ema=True, ema_momentum=0.2)
        trained = variables()
        averaging.build(trained)
        # Keras begins the average with the values after the first step; then (1 + t) / (10 + t), .2 at most.
        momentums = [0.0, 2 / 11, 0.2, 0.2]
        expected = [0.0] * len(trained)
        for step, momentum in zip(gradients(4), momentums, strict=True):
            averaging.apply([keras.ops.convert_to_tensor(gradient) for gradient in step], trained)
            values = [numpy(variable) for variable in trained]
            expected = [momentum * old + (1 - momentum) * new for old, new in zip(expected, values, strict=True)]
        averaging.finalize_variable_values(trained)
        for variable, average in zip(trained, expected, strict=True):
            assert_close(variable, average, 1e-5, variable.path)
        assert averaging.get_config()["ema_momentum"] == 0.2

    def test_a_short_run_is_not_averaged_with_its_beginning(self):
        averaging = optimizer(use_ema=True, ema_momentum=0.999)
        trained = variables()
        averaging.build(trained)
        first = None
        for step in gradients(1) * 24:
            averaging.apply([keras.ops.convert_to_tensor(gradient) for gradient in step], trained)
            first = first or [numpy(variable) for variable in trained]
        last = [numpy(variable) for variable in trained]
        averaging.finalize_variable_values(trained)
        for variable, start, end in zip(trained, first, last, strict=True):
            # The share of the way from the first weights to the last that the average has gone; constantly .999: .01.
            assert np.mean((numpy(variable) - start) / (end - start)) > 0.7


def test_is_serializable():
    one = GroupedAdamW(0.1, 0.2, 0.3, 0.4, 0.5, groups=GROUPS, use_ema=True, ema_momentum=0.75, clipnorm=2.0)
    other = keras.optimizers.deserialize(keras.optimizers.serialize(one))
    assert isinstance(other, GroupedAdamW)
    assert other.get_config() == one.get_config()
