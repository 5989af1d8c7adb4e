"""What every integer precision quantises, and how its recipe is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, get_args

import numpy as np

from ..choices import Runtime
from ..progress import OnStep, silent
from ..report.fidelity import Fidelity
from .layer_time import layer_seconds
from .layers import Layer
from .mix_search import (
    Judge,
    Sensitivity,
    first_that_meets,
    measure_sensitivity,
    mixes,
)
from .quantization_recipe import Form, Recipe
from .quantizer import FloatFile

_MOVING = ("CONCATENATION", "PAD", "RESHAPE", "RESIZE_BILINEAR", "STRIDED_SLICE", "TRANSPOSE")
# The norms but for their root: in 16 bits nothing is lost.
_ARITHMETIC = ("ADD", "MEAN", "MUL", "SUB")
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
# The maps behind the norms of the patch embeddings: few weights that range over orders of magnitude.
_OUTLIERS = "/start"
_SLACK = 1.05
_MAX_IMAGES_PER_LAYER = 6
_LEAST_INTEGER_SHARE = 0.9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """How the recipe of a precision is found.

    Args:
        forms: The forms that layers may take beside float, by the runtime and by their operation.
        operators: Further operations that are static.
        activation_bits: Width of static inputs and outputs.
        by_time: Whether the search looks for the fastest file on this machine; if not, for that with most
            multiplications in integers, where the machine that counts is another one.
        target: The mean agreement with the float network that the search has to reach, by the runtime; where there is
            none there is no search, and layers take their first form.
    """

    forms: Mapping[Runtime, Mapping[str, tuple[Form, ...]]]
    target: Mapping[Runtime, float] = dataclasses.field(default_factory=dict)
    operators: tuple[str, ...] = ()
    activation_bits: int = 8
    by_time: bool = False


def _everywhere(value: Any) -> dict[Runtime, Any]:
    return dict.fromkeys(get_args(Runtime), value)


_STATIC: dict[str, tuple[Form, ...]] = dict.fromkeys(_CONVOLUTIONS, ("static",))
_PRODUCTS: dict[str, tuple[Form, ...]] = {"BATCH_MATMUL": ("static",)}

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "dynamic": Plan(
            forms=_everywhere({"CONV_2D": ("dynamic",)}),
        ),
        "int8": Plan(
            # Static layers in the mix save little time, and follow pictures unlike the calibration less closely.
            forms={"litert": {"CONV_2D": ("dynamic",)}, "tflite-2.16": _STATIC},
            target={"litert": 0.994, "tflite-2.16": 0.989},
            by_time=True,
        ),
        "int8_npu": Plan(
            forms=_everywhere(_STATIC | _PRODUCTS),
            target=_everywhere(0.985),
            operators=("GELU", "RESHAPE", "SOFTMAX", "STRIDED_SLICE", "TRANSPOSE"),
        ),
        "int16x8": Plan(
            forms=_everywhere(_STATIC | _PRODUCTS),
            operators=(*_MOVING, *_ARITHMETIC, "SOFTMAX"),
            activation_bits=16,  # no search: CPUs take seconds for an image
        ),
    }
)
"""The plans, by the name of the precision.

Of the multiplications of B0 at 512x512 a quarter belongs to the products of attention. CPUs have no fast integer kernel
for them: static INT8 makes them three times slower in LiteRT 2.3. Where the file is for CPUs they stay float.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found.

    Args:
        recipe: The recipe.
        sensitivity: The table of the search; empty where there was none.
        fidelity: The figures of the recipe on the images that the search measured on.
        target: The mean agreement asked for.
    """

    recipe: Recipe
    sensitivity: tuple[Sensitivity, ...] = ()
    fidelity: Fidelity | None = None
    target: float | None = None


def recipe_without_search(precision: str, file: FloatFile, runtime: Runtime, calibrated: bool) -> Recipe:
    """The recipe in which every layer has the fastest form, but for those that are known to be sensitive.

    Args:
        precision: A key of `PLANS`.
        file: The float file.
        runtime: What runs the file.
        calibrated: Whether there are calibration images to round the weights by.

    Returns:
        The recipe.
    """
    choices = _choices(PLANS[precision], file, runtime)
    forms = {name: "float" if name.endswith(_OUTLIERS) else (*each, "float")[0] for name, each in choices.items()}
    return _base(PLANS[precision], forms, "least_output_error" if calibrated else "nearest")


def search_recipe(
    precision: str,
    file: FloatFile,
    images: np.ndarray,
    runtime: Runtime = "litert",
    target: float | None = None,
    on_step: OnStep = silent,
) -> Found:
    """Find the recipe of a precision.

    Args:
        precision: A key of `PLANS`.
        file: The float file with statistics, whose output is logits.
        images: The images to measure on, `(images, height, width, 3)`, uint8.
        runtime: What runs the file.
        target: The least mean agreement with the float network; `None` for the plan's.
        on_step: Told of the progress.

    Returns:
        The recipe and what led to it.
    """
    plan = PLANS[precision]
    target = plan.target[runtime] if target is None else target
    choices = _choices(plan, file, runtime)
    # One layer at a time changes all images alike: a few will do.
    few = Judge(file, images[:: -(-len(images) // _MAX_IMAGES_PER_LAYER)])
    judge = Judge(file, images)
    base = _base(plan, {}, "least_output_error")
    cost = _seconds(file.layers) if plan.by_time else _float_macs(file.layers)
    rows = measure_sensitivity(few, choices, cost, base, on_step("Measuring the layers", len(choices)))
    candidates = [_base(plan, mix, "least_output_error") for mix in mixes(rows)]
    advance = on_step("Measuring whole files", len(candidates).bit_length())
    first = first_that_meets(candidates, judge, target, advance)
    index = _last_worth_its_cost(candidates, first, rows, file.layers)
    recipe = candidates[index]
    fidelity = judge.measure(recipe)
    return Found(recipe=recipe, sensitivity=tuple(rows), fidelity=fidelity, target=target)


def integer_share(recipe: Recipe, layers: Mapping[str, Layer], all_products: bool = False) -> float:
    """How much of the arithmetic is done in integers.

    Args:
        recipe: The recipe.
        layers: The layers of the file.
        all_products: Whether the products of attention count, of which neither factor is a weight.

    Returns:
        The share of the multiplications, from 0 to 1.
    """
    counted = [layer for layer in layers.values() if all_products or layer.has_weights]
    integers = sum(layer.macs for layer in counted if recipe.layers[layer.name] != "float")
    return integers / sum(layer.macs for layer in counted)


def _last_worth_its_cost(
    candidates: Sequence[Recipe], first: int, rows: Sequence[Sensitivity], layers: Mapping[str, Layer]
) -> int:
    """The most exact mix that costs little more than the first that will do: other images are harder."""
    costs = {(row.layer, row.form): row.cost for row in rows}
    totals = [sum(costs[choice] for choice in recipe.layers.items()) for recipe in candidates]
    best = first
    for index in range(first, len(candidates)):
        cheap = totals[index] <= _SLACK * totals[first]
        if cheap and integer_share(candidates[index], layers) >= _LEAST_INTEGER_SHARE:
            best = index
    return best


def _choices(plan: Plan, file: FloatFile, runtime: Runtime) -> dict[str, tuple[Form, ...]]:
    return {name: plan.forms[runtime].get(layer.operator, ()) for name, layer in file.layers.items()}


def _base(plan: Plan, forms: Mapping[str, Form], rounding: str) -> Recipe:
    operators = dict.fromkeys(plan.operators, "static")
    return Recipe(layers=forms, operators=operators, activation_bits=plan.activation_bits, rounding=rounding)


def _seconds(layers: Mapping[str, Layer]) -> Callable[[str, Form], float]:
    return lambda name, form: layer_seconds(layers[name], form) if layers[name].has_weights else 0.0


def _float_macs(layers: Mapping[str, Layer]) -> Callable[[str, Form], float]:
    return lambda name, form: float(layers[name].macs) if form == "float" else 0.0
