"""Finds the quantisation recipe of a precision."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..choices import Runtime
from ..progress import Progress, silent
from ..report.fidelity import Fidelity
from .file_layers import FileLayer
from .float_file import FloatFile
from .integer_share import integer_share
from .layer_costs import modelled_seconds
from .layer_timing import layer_seconds
from .mixes import first_meeting_target, greedy_mixes
from .plans import PLANS, Plan
from .quantization_recipe import QuantizationMode, QuantizationRecipe, Rounding
from .sensitivity import RecipeEvaluator, Sensitivity, measure_sensitivity

Cost = Callable[[str, QuantizationMode], float]
"""The cost of a layer, given by its name, in a mode."""

# The linear maps after the norms of the patch embeddings: few weights, whose magnitudes differ too much for one scale.
_SENSITIVE_ROLE = "start"
_MAX_IMAGES_PER_LAYER = 6
# A more exact mix than needed is taken if it takes no more than 5 % longer, since new images are harder than those that
# were measured, and as long as 90 % of the multiplications are done in integers.
_MAX_RELATIVE_COST = 1.05
_MIN_INTEGER_SHARE = 0.9


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchResult:
    """A recipe and how it was found.

    Args:
        recipe: The recipe.
        sensitivity: What was measured for each layer; empty without a search.
        fidelity: The figures of the recipe on the images of the search; `None` without a search.
        target: The mean agreement that was asked for; `None` without a search.
    """

    recipe: QuantizationRecipe
    sensitivity: tuple[Sensitivity, ...] = ()
    fidelity: Fidelity | None = None
    target: float | None = None


def default_recipe(precision: str, file: FloatFile, runtime: Runtime, calibrated: bool) -> QuantizationRecipe:
    """The recipe without a search: each layer has its fastest mode, except for layers that are known to be sensitive.

    Args:
        precision: A key of `PLANS`.
        file: The float file.
        runtime: The runtime that the file is for.
        calibrated: Whether there are calibration images that the weights can be rounded with.

    Returns:
        The recipe.
    """
    plan = PLANS[precision]
    modes: dict[str, QuantizationMode] = {
        name: "float" if file.layers[name].layer.role == _SENSITIVE_ROLE else (*choices, "float")[0]
        for name, choices in _choices(plan, file, runtime).items()
    }
    return _recipe(plan, modes, "least_output_error" if calibrated else "nearest")


def search_recipe(
    precision: str,
    file: FloatFile,
    images: np.ndarray,
    runtime: Runtime = "litert",
    target: float | None = None,
    progress: Progress = silent,
    measure_times: bool = False,
) -> SearchResult:
    """Find the fastest recipe that agrees with the float network as required.

    Args:
        precision: A key of `PLANS` with a target.
        file: The float file with statistics, whose output must be logits.
        images: The images to measure on, `(images, height, width, 3)`, uint8.
        runtime: The runtime that the file is for.
        target: The least mean agreement with the float network; `None` for that of the plan.
        progress: Called with progress updates.
        measure_times: Whether the times of layers are measured on this machine instead of estimated by a model, which
            gives the same recipe everywhere.

    Returns:
        The recipe and how it was found.
    """
    plan = PLANS[precision]
    target = plan.target[runtime] if target is None else target
    seconds = layer_seconds if measure_times else modelled_seconds
    cost = _seconds(file.layers, seconds) if plan.minimize_time else _float_macs(file.layers)
    rows = _measure_layers(_choices(plan, file, runtime), plan, file, images, cost, progress)
    candidates = [_recipe(plan, mix, "least_output_error") for mix in greedy_mixes(rows)]
    evaluator = RecipeEvaluator(file, images)
    advance = progress("Measuring candidate files", len(candidates).bit_length())
    first = first_meeting_target(candidates, evaluator, target, advance)
    recipe = candidates[_most_exact_at_similar_cost(candidates, first, rows, file.layers)]
    return SearchResult(recipe=recipe, sensitivity=tuple(rows), fidelity=evaluator.measure(recipe), target=target)


def _measure_layers(
    choices: Mapping[str, tuple[QuantizationMode, ...]],
    plan: Plan,
    file: FloatFile,
    images: np.ndarray,
    cost: Cost,
    progress: Progress,
) -> list[Sensitivity]:
    # Quantising one layer changes all images similarly, so a few of them are enough.
    some = images[:: math.ceil(len(images) / _MAX_IMAGES_PER_LAYER)]
    base = _recipe(plan, {}, "least_output_error")
    advance = progress("Measuring single layers", len(choices))
    return measure_sensitivity(RecipeEvaluator(file, some), choices, cost, base, advance)


def _most_exact_at_similar_cost(
    candidates: Sequence[QuantizationRecipe],
    first: int,
    rows: Sequence[Sensitivity],
    layers: Mapping[str, FileLayer],
) -> int:
    """The index of the most exact mix that costs little more than the first one that meets the target."""
    costs = {(row.layer, row.mode): row.cost for row in rows}
    totals = [sum(costs[choice] for choice in recipe.layers.items()) for recipe in candidates]
    best = first
    for index in range(first, len(candidates)):
        is_cheap = totals[index] <= _MAX_RELATIVE_COST * totals[first]
        if is_cheap and integer_share(candidates[index], layers) >= _MIN_INTEGER_SHARE:
            best = index
    return best


def _choices(plan: Plan, file: FloatFile, runtime: Runtime) -> dict[str, tuple[QuantizationMode, ...]]:
    return {name: plan.modes[runtime].get(layer.operator, ()) for name, layer in file.layers.items()}


def _recipe(plan: Plan, modes: Mapping[str, QuantizationMode], rounding: Rounding) -> QuantizationRecipe:
    operators = dict.fromkeys(plan.operators, "static")
    return QuantizationRecipe(
        layers=modes, operators=operators, activation_bits=plan.activation_bits, rounding=rounding
    )


def _seconds(layers: Mapping[str, FileLayer], seconds: Callable[[FileLayer, QuantizationMode], float]) -> Cost:
    return lambda name, mode: seconds(layers[name], mode) if layers[name].has_weights else 0.0


def _float_macs(layers: Mapping[str, FileLayer]) -> Cost:
    return lambda name, mode: float(layers[name].macs) if mode == "float" else 0.0
