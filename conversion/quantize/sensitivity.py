"""How much the quantisation of each single layer changes the outputs of the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..report.fidelity import Fidelity, compare_outputs, run_file
from .float_file import FOLLOWERS, FloatFile
from .quantization_recipe import QuantizationMode, QuantizationRecipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """The effect on the logits of quantising one layer, with all others in float.

    Args:
        layer: Name of the layer.
        mode: Its quantisation mode.
        cost: Multiplications in float, or seconds on this machine.
        divergence: That of the class probabilities from those of the float network.
        agreement: Share of positions whose label stays the same.
    """

    layer: str
    mode: QuantizationMode
    cost: float
    divergence: float
    agreement: float

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures as a dictionary for JSON, where the key of the mode is `"form"`."""
        figures = dataclasses.asdict(self)
        return {"layer": figures.pop("layer"), "form": figures.pop("mode"), **figures}


class RecipeEvaluator:
    """Measures how closely quantised files follow the float network.

    Args:
        file: The float file, whose output must be logits.
        images: `(images, height, width, 3)`, uint8.
    """

    def __init__(self, file: FloatFile, images: np.ndarray) -> None:
        self._file, self._images = file, images
        self._reference = run_file(file.content, images)

    def measure(self, recipe: QuantizationRecipe) -> Fidelity:
        """Quantise the file, and compare its outputs with those of the float file.

        Args:
            recipe: How to quantise it.

        Returns:
            The figures.
        """
        content = self._file.quantize(recipe, fix_versions=False)
        return compare_outputs(self._reference, run_file(content, self._images))


def measure_sensitivity(
    evaluator: RecipeEvaluator,
    choices: Mapping[str, Sequence[QuantizationMode]],
    cost: Callable[[str, QuantizationMode], float],
    base: QuantizationRecipe,
    on_layer: Callable[[], None] | None = None,
) -> list[Sensitivity]:
    """Quantise one layer at a time, in each of its modes.

    Args:
        evaluator: Measures the files.
        choices: The modes that each layer may have besides float, by its name.
        cost: The cost of a layer, given by its name, in a mode.
        base: A recipe with the number of bits, the rounding and the further operations.
        on_layer: Called after each layer.

    Returns:
        A row for each layer and mode. Modes that cost no less than float are left out.
    """
    rows = []
    exact: dict[str, QuantizationMode] = dict.fromkeys(choices, "float")
    operators = {name: mode for name, mode in base.operators.items() if name in FOLLOWERS}
    for name, modes in choices.items():
        float_cost = cost(name, "float")
        rows.append(Sensitivity(layer=name, mode="float", cost=float_cost, divergence=0.0, agreement=1.0))
        for mode in modes:
            mode_cost = cost(name, mode)
            if mode_cost < float_cost:
                recipe = dataclasses.replace(base, layers=exact | {name: mode}, operators=operators)
                fidelity = evaluator.measure(recipe)
                rows.append(
                    Sensitivity(
                        layer=name,
                        mode=mode,
                        cost=mode_cost,
                        divergence=fidelity.divergence,
                        agreement=fidelity.agreement,
                    )
                )
        if on_layer:
            on_layer()
    return rows
