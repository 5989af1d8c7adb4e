"""The fastest mix of forms that stays close enough to the float network.

Layer by layer and form by form, one layer alone is quantised, and the error of the logits is measured. Errors of
layers add up, near enough, so that the table tells in which order layers should become more exact: first the one that
removes most error for the time it costs. How far to go is measured on whole files.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..report.fidelity import Fidelity, compare_outputs, run_file
from .quantization_recipe import Form, Recipe
from .quantizer import FOLLOWERS, FloatFile

_LEAST_SAVING = 1e-7  # seconds or the like; more exact forms are sometimes faster too


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """What one layer in one form does to the logits, all others being float.

    Args:
        layer: Name of the layer.
        form: Its form.
        cost: Seconds on this machine, or another cost.
        error: Mean squared change of the logits, relative to their variance.
        agreement: Share of equal labels.
    """

    layer: str
    form: Form
    cost: float
    error: float
    agreement: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON has them."""
        return dataclasses.asdict(self)


class Judge:
    """Measures how closely quantised files follow the float network.

    Args:
        file: The float file, whose output is logits.
        images: `(images, height, width, 3)`, uint8.
    """

    def __init__(self, file: FloatFile, images: np.ndarray) -> None:
        self._file, self._images = file, images
        self._reference = run_file(file.content, images)

    def measure(self, recipe: Recipe) -> Fidelity:
        """Quantise the file and compare.

        Args:
            recipe: How.

        Returns:
            The figures.
        """
        return compare_outputs(self._reference, run_file(self._file.quantize(recipe), self._images))


def measure_sensitivity(
    judge: Judge,
    choices: Mapping[str, Sequence[Form]],
    cost: Callable[[str, Form], float],
    base: Recipe,
    on_layer: Callable[[], None] | None = None,
) -> list[Sensitivity]:
    """Quantise one layer at a time, every way.

    Args:
        judge: Measures the files.
        choices: The forms that every layer may take beside float, by its name.
        cost: Of a layer in a form.
        base: The recipe with the bits and the rounding.
        on_layer: Called after every layer.

    Returns:
        A row for every layer and form. The form float has no error; others are left out where they cost no less.
    """
    rows = []
    exact: dict[str, Form] = dict.fromkeys(choices, "float")
    operators = {name: form for name, form in base.operators.items() if name in FOLLOWERS}
    for name, forms in choices.items():
        float_cost = cost(name, "float")
        rows.append(Sensitivity(layer=name, form="float", cost=float_cost, error=0.0, agreement=1.0))
        for form in forms:
            form_cost = cost(name, form)
            if form_cost < float_cost:
                found = judge.measure(dataclasses.replace(base, layers=exact | {name: form}, operators=operators))
                row = Sensitivity(layer=name, form=form, cost=form_cost, error=found.error, agreement=found.agreement)
                rows.append(row)
        if on_layer:
            on_layer()
    return rows


def mixes(rows: Sequence[Sensitivity]) -> list[dict[str, Form]]:
    """Put mixes in order, from the fastest to the most exact.

    Args:
        rows: What `measure_sensitivity` returns.

    Returns:
        The form of every layer. From one mix to the next, the layer changes that removes most error for its cost.

    Example:

    >>> table = [("a", "static", 1, 0.5), ("a", "float", 2, 0), ("b", "static", 1, 0.1), ("b", "float", 2, 0)]
    >>> rows = [Sensitivity(layer=a, form=b, cost=c, error=d, agreement=1) for a, b, c, d in table]
    >>> [list(mix.values()) for mix in mixes(rows)]
    [['static', 'static'], ['float', 'static'], ['float', 'float']]
    """
    options: dict[str, list[Sensitivity]] = {}
    for row in rows:
        options.setdefault(row.layer, []).append(row)
    current = {name: min(each, key=lambda row: (row.cost, row.error)) for name, each in options.items()}
    found = [current]
    while True:
        better = [row for row in rows if row.error < current[row.layer].error and row.cost > current[row.layer].cost]
        if not better:
            return [{name: row.form for name, row in mix.items()} for mix in found]
        best = max(better, key=lambda row: _gain(current[row.layer], row))
        current = current | {best.layer: best}
        found.append(current)


def first_that_meets(
    candidates: Sequence[Recipe], judge: Judge, target: float, on_file: Callable[[], None] | None = None
) -> int:
    """Find the first recipe whose file agrees with the float network.

    Args:
        candidates: Recipes, each about as exact as the one before or more.
        judge: Measures their files.
        target: The least mean agreement.
        on_file: Called after every file.

    Returns:
        Its index; the last where none meets the target.
    """

    def meets(recipe: Recipe) -> bool:
        agreement = judge.measure(recipe).agreement
        if on_file:
            on_file()
        return agreement >= target

    return min(bisect.bisect_left(candidates, True, key=meets), len(candidates) - 1)


def _gain(before: Sensitivity, after: Sensitivity) -> float:
    return (before.error - after.error) / max(after.cost - before.cost, _LEAST_SAVING)
