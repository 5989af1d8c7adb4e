"""The learning rate of the paper: linear warm-up, then polynomial decay."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_segformer.serialization import register


@register
class WarmupPolynomial(keras.optimizers.schedules.LearningRateSchedule):
    """Polynomial decay to zero, multiplied during the first steps by a factor that rises linearly to 1.

    At step `s` of `n`: `rate * (1 - s / n)**power`, times `ratio + (1 - ratio) * s / warmup_steps` while
    `s < warmup_steps`. With `decay_steps` the rate is constant until that many steps are left, and decays over those.

    Args:
        rate: The learning rate without both.
        total_steps: The step at which it reaches zero.
        warmup_steps: Length of the warm-up.
        power: Exponent of the decay.
        warmup_ratio: The factor at step 0.
        first_step: The optimizer's count of steps at which the schedule begins.
        decay_steps: Steps at the end over which the rate decays; `None` for all.

    Raises:
        ValueError: The schedule has no step, or its warm-up or decay is longer than the schedule.

    Source: `lr_config` of `local_configs/segformer/B0/segformer.b0.512x512.ade.160k.py` of the original code.

    Example:

    >>> schedule = WarmupPolynomial(6e-5, total_steps=160_000)
    >>> round(float(schedule(80_000)), 7)
    3e-05
    """

    def __init__(
        self,
        rate: float,
        total_steps: int = 160_000,
        warmup_steps: int = 1_500,
        power: float = 1.0,
        warmup_ratio: float = 1e-6,
        first_step: int = 0,
        decay_steps: int | None = None,
    ) -> None:
        super().__init__()
        if total_steps < 1 or not 0 <= warmup_steps <= total_steps:
            raise ValueError(
                f"A schedule needs at least one step and no more steps of warm-up than steps; got {total_steps} and "
                f"{warmup_steps}."
            )
        if decay_steps is not None and not 1 <= decay_steps <= total_steps:
            raise ValueError(f"`decay_steps` must be 1 to the {total_steps} steps of the schedule; got {decay_steps}.")
        self.rate = rate
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps
        self.power = power
        self.warmup_ratio = warmup_ratio
        self.first_step = first_step
        self.decay_steps = decay_steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32") - self.first_step
        # Not 1 - step / total, which loses digits in float32 towards the end.
        remaining = ops.maximum(self.total_steps - step, 0.0) / (self.decay_steps or self.total_steps)
        if self.decay_steps is not None:
            remaining = ops.minimum(remaining, 1.0)
        rate = self.rate * ops.power(remaining, self.power)
        progress = ops.minimum(step / max(self.warmup_steps, 1), 1.0) if self.warmup_steps else 1.0
        return rate * (self.warmup_ratio + (1.0 - self.warmup_ratio) * progress)

    def get_config(self) -> dict[str, Any]:
        return {
            "rate": self.rate,
            "total_steps": self.total_steps,
            "warmup_steps": self.warmup_steps,
            "power": self.power,
            "warmup_ratio": self.warmup_ratio,
            "first_step": self.first_step,
            "decay_steps": self.decay_steps,
        }


@register
class FitLengthSchedule(WarmupPolynomial):
    """A schedule whose length each call of `fit` sets to that of its run, also after the model was saved and loaded.

    Args:
        **arguments: Those of `WarmupPolynomial`.

    Example:

    >>> FitLengthSchedule(6e-5).total_steps
    160000
    """
