"""What each integer precision quantises, and how its recipe is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar, get_args

from ..choices import Runtime
from .quantization_recipe import QuantizationMode, QuantizationRecipe

Value = TypeVar("Value")
Modes = Mapping[str, tuple[QuantizationMode, ...]]
"""Quantisation modes by the operation that computes a layer."""

# Operations that only copy values.
_COPYING = ("CONCATENATION", "PAD", "RESHAPE", "RESIZE_BILINEAR", "STRIDED_SLICE", "TRANSPOSE")
# Layer norm except for its root: 16 bits are enough for it.
_NORM = ("ADD", "MEAN", "MUL", "SUB")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How the recipe of a precision is found.

    Args:
        modes: The modes that layers may have besides float, fastest first, by the runtime.
        target: The mean agreement with the float network that the search must reach, by the runtime. Without targets
            there is no search, and each layer has its first mode.
        operators: Further operations that are quantised statically.
        activation_bits: Number of bits of static inputs and outputs.
        minimize_time: Whether the search may measure times on this machine. If not, the file is for another kind of
            processor.
    """

    modes: Mapping[Runtime, Modes]
    target: Mapping[Runtime, float] = dataclasses.field(default_factory=dict)
    operators: tuple[str, ...] = ()
    activation_bits: int = 8
    minimize_time: bool = False

    @property
    def is_searched(self) -> bool:
        """Whether recipes are found by a search."""
        return bool(self.target)

    @property
    def needs_calibration(self) -> bool:
        """Whether its recipes cannot be found without calibration images."""
        return self.is_searched or any(map(self.may_be_static, self.modes))

    def may_be_static(self, runtime: Runtime, recipe: QuantizationRecipe | None = None) -> bool:
        """Whether a recipe fixes ranges of tensors; without a recipe, whether one for the runtime may."""
        if recipe:
            return recipe.is_static
        modes = {mode for each in self.modes[runtime].values() for mode in each}
        return bool(self.operators) or "static" in modes

    def may_round_attention(self, runtime: Runtime, recipe: QuantizationRecipe | None = None) -> bool:
        """Whether a recipe rounds weights of attention to 8 bits; without a recipe, whether one may."""
        if recipe:
            return recipe.rounds_attention
        return self.activation_bits == 8 and "static" in self.modes[runtime].get("BATCH_MATMUL", ())


def _for_all_runtimes(value: Value) -> dict[Runtime, Value]:
    return dict.fromkeys(get_args(Runtime), value)


_STATIC: Modes = dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D"), ("static",))
_STATIC_WITH_ATTENTION: Modes = {**_STATIC, "BATCH_MATMUL": ("static",)}

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "dynamic": Plan(
            modes=_for_all_runtimes({"CONV_2D": ("dynamic",)}),
        ),
        "int8": Plan(
            # No static layers for LiteRT: they save little time, and are less accurate for images that differ from the
            # calibration images.
            modes={"litert": {"CONV_2D": ("dynamic",)}, "tflite-2.16": _STATIC},
            target={"litert": 0.994, "tflite-2.16": 0.989},
            minimize_time=True,
        ),
        "int8_npu": Plan(
            modes=_for_all_runtimes(_STATIC_WITH_ATTENTION),
            target=_for_all_runtimes(0.992),
            operators=("GELU", "RESHAPE", "SOFTMAX", "STRIDED_SLICE", "TRANSPOSE"),
        ),
        "int16x8": Plan(
            modes=_for_all_runtimes(_STATIC_WITH_ATTENTION),
            operators=(*_COPYING, *_NORM, "SOFTMAX"),
            activation_bits=16,  # no search: CPUs take seconds per image
        ),
    }
)
"""The plans by the name of the precision.

Of the multiplications of B0 at 512x512, a quarter belongs to the matrix products of attention. CPUs have no fast
integer kernel for them: in LiteRT 2.3, static INT8 makes them three times slower. They stay float in files for CPUs.
"""
