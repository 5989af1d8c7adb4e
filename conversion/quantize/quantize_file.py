"""From a float file to a quantised one, and what is to be told of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from ..choices import Runtime
from ..progress import OnStep, silent
from .calibration import Calibration
from .plans import (
    PLANS,
    Found,
    integer_share,
    recipe_without_search,
    search_recipe,
)
from .quantization_recipe import Recipe
from .quantizer import FloatFile
from .statistics import Statistics, collect_statistics


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for.

    Args:
        precision: A key of `PLANS`.
        calibration: The images; `None` where there are none.
        recipe: A recipe to follow; `None` to find one.
        runtime: What is to run the file.
        target: The least mean agreement of a recipe that is searched for; `None` for the plan's.
        retrain: From a recipe to the file with the output asked for and the one with logits, of weights that were
            trained to be quantised so; `None` to quantise the weights as they are.
    """

    precision: str
    calibration: Calibration | None = None
    recipe: Recipe | None = None
    runtime: Runtime = "litert"
    target: float | None = None
    retrain: Callable[[Recipe], tuple[bytes, bytes]] | None = None


def quantize_file(
    content: bytes, logits: bytes, request: Request, on_step: OnStep = silent
) -> tuple[bytes, dict[str, Any]]:
    """Quantise a float file.

    Args:
        content: The file.
        logits: The same network with logits as its output, on which recipes are measured.
        request: How.
        on_step: Told of the progress.

    Returns:
        The quantised file; and the recipe, the sensitivities that led to it and how much arithmetic is in integers, as
        JSON has them.

    Raises:
        ValueError: The precision needs calibration images, or the recipe is for another network.
        MissingExtraError: litert-quantizer is not installed.
    """
    source = FloatFile(logits)
    if request.calibration is not None:
        fitted = request.calibration.fitted
        source = FloatFile(logits, _statistics(logits, source, fitted, on_step, "Observing the network"))
    found = _find(source, request, on_step)
    if request.retrain:
        # Trained weights lie where the nearest integers are the right ones.
        found = dataclasses.replace(found, recipe=dataclasses.replace(found.recipe, rounding="nearest"))
        content, logits = request.retrain(found.recipe)
        source = FloatFile(logits, source.statistics)
    target = source if content == logits else _with_output(source, content, found.recipe, request, on_step)
    return target.quantize(found.recipe), _facts(found, source, request)


def _find(source: FloatFile, request: Request, on_step: OnStep) -> Found:
    if request.recipe:
        return Found(recipe=request.recipe)
    if not PLANS[request.precision].target:
        calibrated = request.calibration is not None
        return Found(recipe=recipe_without_search(request.precision, source, request.runtime, calibrated))
    if request.calibration is None:
        raise ValueError(
            f"The precision {request.precision} needs calibration images; name a folder of some dozen pictures that "
            "look like what the model is to see, or choose dynamic, which needs none."
        )
    measured = request.calibration.measured
    return search_recipe(request.precision, source, measured, request.runtime, request.target, on_step)


def _with_output(source: FloatFile, content: bytes, recipe: Recipe, request: Request, on_step: OnStep) -> FloatFile:
    values: dict[str, np.ndarray] = {}
    if recipe.is_static and request.calibration is not None:
        target = FloatFile(content)
        values = _statistics(
            content, target, request.calibration.fitted, on_step, "Observing the outputs", False
        ).values
    return source.with_output(content, values)


def _statistics(
    content: bytes, source: FloatFile, images: np.ndarray, on_step: OnStep, description: str, products: bool = True
) -> Statistics:
    layers = source.layers.values() if products else ()
    return collect_statistics(content, source.file, layers, images, on_step(description, len(images)))


def _facts(found: Found, source: FloatFile, request: Request) -> dict[str, Any]:
    return {
        "runtime": request.runtime,
        "recipe": found.recipe.to_dict(),
        "integer_share_of_layers": integer_share(found.recipe, source.layers),
        "integer_share_with_attention": integer_share(found.recipe, source.layers, all_products=True),
        "target": found.target,
        "search": found.fidelity and found.fidelity.to_dict(),
        "sensitivity": [row.to_dict() for row in found.sensitivity],
    }
