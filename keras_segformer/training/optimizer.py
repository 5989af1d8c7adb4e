"""AdamW with the parameter groups of the original recipe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_segformer.serialization import register

ParameterGroup = Mapping[str, Any]

ORIGINAL_GROUPS: tuple[ParameterGroup, ...] = (
    {"pattern": r"^(?!decoder/).*/(gamma|beta)$", "rate": 1.0, "decay": 0.0},
    {"pattern": r"positional_embedding", "rate": 1.0, "decay": 0.0},
    {"pattern": r"^decoder/", "rate": 10.0, "decay": 1.0},
)
"""`paramwise_cfg` of the original: no decay on the encoder's norms, ten times the rate for the decoder.

Its patterns are `norm`, `pos_block` and `head`. The batch norm of the head is called `bn` there: it is decayed.
"""


@register
class GroupedAdamW(keras.optimizers.Optimizer):
    """AdamW whose learning rate and weight decay depend on the variable.

    One step, exactly as PyTorch's `AdamW`, with `r` and `d` the factors of the variable's group::

        w  ← w (1 - r lr d decay)
        m  ← b1 m + (1 - b1) g,    v ← b2 v + (1 - b2) g²
        w  ← w - r lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)

    (Keras' own Adam adds epsilon before the bias of `v` is corrected, which matters in the first steps.)

    The moving average of the weights that `use_ema` keeps has the momentum `min(ema_momentum, (1 + t) / (10 + t))`
    after `t` steps, so that it forgets the initial weights in short runs too. (Keras' momentum is constant: after 24
    steps with momentum .99, 79 % of the average are the initial weights.)

    Args:
        learning_rate: A number or a schedule.
        weight_decay: Strength of the decoupled weight decay.
        beta_1: Decay of the average of gradients.
        beta_2: Decay of the average of squared gradients.
        epsilon: Added to the root of the latter.
        groups: In order, dictionaries of `pattern` (a regular expression looked for in the variable's path),
            `rate` and `decay` (factors). The first match counts; variables without a match have factors 1.
        **kwargs: The options of every Keras optimizer: `clipnorm`, `global_clipnorm`, `use_ema`,
            `gradient_accumulation_steps`, and so on. Its own `weight_decay` is not used.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019.

    Example:

    >>> optimizer = GroupedAdamW(6e-5)
    """

    def __init__(
        self,
        learning_rate: Any = 6e-5,
        weight_decay: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        groups: Sequence[ParameterGroup] = ORIGINAL_GROUPS,
        name: str = "grouped_adamw",
        **kwargs: Any,
    ) -> None:
        # The base class decays all variables with one learning rate.
        super().__init__(learning_rate=learning_rate, weight_decay=None, name=name, **kwargs)
        is_schedule = isinstance(learning_rate, keras.optimizers.schedules.LearningRateSchedule)
        self.schedule = learning_rate if is_schedule else None
        self.decoupled_weight_decay = weight_decay
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.groups = [dict(group) for group in groups]

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums = [self.add_variable_from_reference(variable, name="momentum") for variable in variables]
        self._velocities = [self.add_variable_from_reference(variable, name="velocity") for variable in variables]
        self._factors = [self.factors(variable.path) for variable in variables]

    def factors(self, path: str) -> tuple[float, float]:
        """Looks up the factors on learning rate and weight decay of a variable.

        Args:
            path: The variable's `path`.

        Returns:
            Both factors.

        Example:

        >>> GroupedAdamW().factors("decoder/classifier/kernel")
        (10.0, 1.0)
        """
        for group in self.groups:
            if re.search(group["pattern"], path):
                return group["rate"], group["decay"]
        return 1.0, 1.0

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        # Private, but called by every optimizer of Keras: under `tf.distribute` the variable is a replica's copy, and
        # there is no public way from it to the index.
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index], self._velocities[index]
        rate_factor, decay_factor = self._factors[index]
        dtype = variable.dtype
        gradient = ops.cast(gradient, dtype)
        rate = ops.cast(learning_rate, dtype) * rate_factor
        step = ops.cast(self.iterations + 1, dtype)

        self.assign_add(momentum, (gradient - momentum) * (1 - self.beta_1))
        self.assign_add(velocity, (ops.square(gradient) - velocity) * (1 - self.beta_2))
        corrected_momentum = momentum / (1 - ops.power(ops.cast(self.beta_1, dtype), step))
        corrected_velocity = velocity / (1 - ops.power(ops.cast(self.beta_2, dtype), step))
        update = corrected_momentum / (ops.sqrt(corrected_velocity) + self.epsilon)
        decay = self.decoupled_weight_decay * decay_factor
        self.assign_sub(variable, rate * (update + decay * variable))

    def _update_model_variables_moving_average(self, trainable_variables: Sequence[keras.Variable]) -> None:
        # Keras has no option for a momentum that depends on the step; it reads the constant here.
        constant = self.ema_momentum
        step = ops.cast(self.iterations, "float32")
        self.ema_momentum = ops.minimum(constant, (1 + step) / (10 + step))
        try:
            super()._update_model_variables_moving_average(trainable_variables)
        finally:
            self.ema_momentum = constant

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config | {
            "weight_decay": self.decoupled_weight_decay,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "groups": self.groups,
        }
