"""The learning rate against mmcv's rule written out."""

from __future__ import annotations

import keras
import pytest

from keras_segformer.training.schedule import WarmupPolynomial

pytestmark = pytest.mark.backend


def mmcv_rate(step, rate, total, warmup, power, ratio):
    """`PolyLrUpdaterHook` with `min_lr=0` and linear warm-up."""
    regular = rate * (1 - step / total) ** power
    return regular * (1 - (1 - step / warmup) * (1 - ratio)) if step < warmup else regular


@pytest.mark.parametrize("power", [1.0, 0.9])
@pytest.mark.parametrize("step", [0, 1, 749, 1_499, 1_500, 1_501, 80_000, 159_999])
def test_is_that_of_mmcv(step, power):
    schedule = WarmupPolynomial(6e-5, 160_000, 1_500, power=power)
    assert float(schedule(step)) == pytest.approx(mmcv_rate(step, 6e-5, 160_000, 1_500, power, 1e-6), rel=1e-4)


def test_ends_at_zero_and_stays_there():
    schedule = WarmupPolynomial(1e-3, 100, 10)
    assert float(schedule(100)) == float(schedule(150)) == 0


def test_without_warmup():
    assert float(WarmupPolynomial(1e-3, 100, 0)(0)) == pytest.approx(1e-3)


def test_begins_at_the_first_step():
    late, early = WarmupPolynomial(1e-3, 100, 10, first_step=40), WarmupPolynomial(1e-3, 100, 10)
    assert float(late(55)) == pytest.approx(float(early(15)))


class TestDecayAtTheEnd:
    def test_the_rate_stays_until_then(self):
        schedule = WarmupPolynomial(1e-3, 100, 10, decay_steps=40)
        rates = [float(schedule(step)) for step in (0, 5, 10, 35, 60, 80, 100, 120)]
        assert rates == pytest.approx([1e-9, 5e-4, 1e-3, 1e-3, 1e-3, 5e-4, 0, 0], rel=1e-5, abs=1e-12)

    def test_all_steps_are_the_default(self):
        whole, default = WarmupPolynomial(1e-3, 100, 10, decay_steps=100), WarmupPolynomial(1e-3, 100, 10)
        assert [float(whole(step)) for step in (3, 50, 99)] == [float(default(step)) for step in (3, 50, 99)]

    @pytest.mark.parametrize("decay_steps", [0, 101])
    def test_impossible_lengths(self, decay_steps):
        with pytest.raises(ValueError, match=f"`decay_steps` must be 1 to the 100 steps .* got {decay_steps}"):
            WarmupPolynomial(1e-3, 100, 10, decay_steps=decay_steps)


def test_is_serializable():
    schedule = WarmupPolynomial(1e-3, 100, 10, power=2.0, warmup_ratio=0.1, first_step=3, decay_steps=50)
    schedules = keras.optimizers.schedules
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()


@pytest.mark.parametrize(("total", "warmup"), [(0, 0), (10, 11), (10, -1)])
def test_impossible_lengths(total, warmup):
    with pytest.raises(ValueError, match=rf"got {total} and {warmup}"):
        WarmupPolynomial(1e-3, total, warmup)
