"""Finds the quantisation recipe of a precision."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping

import numpy as np

from ..choices import Runtime
from ..progress import Progress, silent
from ..report.fidelity import Fidelity
from .file_layers import FileLayer
from .float_file import FloatFile
from .integer_share import integer_share
from .layer_timing import layer_seconds
from .mixes import first_meeting_target, greedy_mixes
from .plans import PLANS, Plan
from .quantization_recipe import QuantizationMode, QuantizationRecipe, Rounding
from .sensitivity import RecipeEvaluator, Sensitivity, measure_sensitivity

Cost = Callable[[str, QuantizationMode], float]
"""The cost of a layer, given by its name, in a mode."""

# The linear maps after the norms of the patch embeddings stay float. They multiply channels by their gamma and subtract
# the mean, so that each output has one large weight, beside which 8 bits leave little of the others.
_SENSITIVE_ROLE = "start"
_MIN_IMAGES_PER_LAYER = 2
_MAX_PIXELS_PER_LAYER = 2**20  # of all images together, so that large ones do not take too long
# A mix may be more exact than required, since new images are harder than those that were measured, as long as 92 % of
# the multiplications of what may be integers are done in integers.
_MIN_INTEGER_SHARE = 0.92


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
        name: (*choices, "float")[0] for name, choices in _choices(plan, file, runtime).items()
    }
    return _recipe(plan, modes, "least_output_error" if calibrated else "nearest")


def search_recipe(
    precision: str,
    file: FloatFile,
    images: np.ndarray,
    unlikely: np.ndarray,
    runtime: Runtime = "litert",
    target: float | None = None,
    progress: Progress = silent,
    measure_times: bool = False,
) -> SearchResult:
    """Find the recipe with the lowest cost that agrees with the float network as required.

    That is the default recipe if it does, which takes one file to know. Else it is the most exact recipe with 92 % of
    the multiplications in integers, if that one does; those of attention count where it may be static.

    Args:
        precision: A key of `PLANS` with a target.
        file: The float file with statistics, whose output must be logits.
        images: The images to measure recipes on, `(images, height, width, 3)`, uint8.
        unlikely: The images to measure single layers on, of the same shape and type.
        runtime: The runtime that the file is for.
        target: The least mean agreement with the float network; `None` for that of the plan.
        progress: Called with progress updates.
        measure_times: Whether a layer costs the time that is measured on this machine, instead of its multiplications
            in float, which gives the same recipe everywhere.

    Returns:
        The recipe and how it was found.
    """
    plan = PLANS[precision]
    target = plan.target[runtime] if target is None else target
    in_seconds = measure_times and plan.minimize_time
    cost = _seconds(file.layers) if in_seconds else _float_macs(file.layers)
    evaluator = RecipeEvaluator(file, images)
    if not in_seconds:
        fastest = default_recipe(precision, file, runtime, calibrated=True)
        fidelity = evaluator.measure(fastest)
        if fidelity.agreement >= target:
            return SearchResult(recipe=fastest, fidelity=fidelity, target=target)
    rows = _measure_layers(_choices(plan, file, runtime), plan, file, unlikely, cost, progress)
    attention = plan.may_round_attention(runtime)
    enough = greedy_mixes(rows, lambda mix: integer_share(mix, file.layers, attention) >= _MIN_INTEGER_SHARE)[-1]
    recipe = _recipe(plan, enough, "least_output_error")
    fidelity = None if in_seconds else evaluator.measure(recipe)
    if fidelity is None or fidelity.agreement < target:
        candidates = [_recipe(plan, mix, "least_output_error") for mix in greedy_mixes(rows)]
        advance = progress("Measuring candidate files", len(candidates).bit_length())
        recipe = candidates[first_meeting_target(candidates, evaluator, target, advance)]
        fidelity = evaluator.measure(recipe)
    return SearchResult(recipe=recipe, sensitivity=tuple(rows), fidelity=fidelity, target=target)


def _measure_layers(
    choices: Mapping[str, tuple[QuantizationMode, ...]],
    plan: Plan,
    file: FloatFile,
    images: np.ndarray,
    cost: Cost,
    progress: Progress,
) -> list[Sensitivity]:
    count = max(_MIN_IMAGES_PER_LAYER, _MAX_PIXELS_PER_LAYER // math.prod(images.shape[1:3]))
    base = _recipe(plan, {}, "least_output_error")
    advance = progress("Measuring single layers", len(choices))
    return measure_sensitivity(RecipeEvaluator(file, images[:count]), choices, cost, base, advance)


def _choices(plan: Plan, file: FloatFile, runtime: Runtime) -> dict[str, tuple[QuantizationMode, ...]]:
    modes = plan.modes[runtime]
    return {
        name: () if layer.layer.role == _SENSITIVE_ROLE else modes.get(layer.operator, ())
        for name, layer in file.layers.items()
    }


def _recipe(plan: Plan, modes: Mapping[str, QuantizationMode], rounding: Rounding) -> QuantizationRecipe:
    operators = dict.fromkeys(plan.operators, "static")
    return QuantizationRecipe(
        layers=modes, operators=operators, activation_bits=plan.activation_bits, rounding=rounding
    )


def _seconds(layers: Mapping[str, FileLayer]) -> Cost:
    return lambda name, mode: layer_seconds(layers[name], mode) if layers[name].has_weights else 0.0


def _float_macs(layers: Mapping[str, FileLayer]) -> Cost:
    return lambda name, mode: float(layers[name].macs) if mode == "float" else 0.0
