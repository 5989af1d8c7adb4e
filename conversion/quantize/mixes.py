"""Mixed precision: combinations of quantisation modes from the fastest to the most exact.

The divergences of single layers add up approximately, so the table of sensitivities tells in which order layers should
become more exact: the one that removes most divergence per cost first. How far to go is measured on whole files.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping, Sequence

from .quantization_recipe import QuantizationMode, QuantizationRecipe
from .sensitivity import RecipeEvaluator, Sensitivity

Mix = Mapping[str, QuantizationMode]
"""The mode of each layer."""

# Keeps the ratio of divergence to cost finite: sometimes a more exact mode is faster too. In units of the cost, e.g.
# seconds.
_MIN_EXTRA_COST = 1e-7


def greedy_mixes(
    rows: Sequence[Sensitivity], is_allowed: Callable[[Mix], bool] | None = None
) -> list[dict[str, QuantizationMode]]:
    """List mixes from the fastest to the most exact.

    Args:
        rows: What `measure_sensitivity` returns.
        is_allowed: Whether a mix may be in the list, the first excepted. Layers that would become more exact in one
            that is not are left as they are.

    Returns:
        The mode of each layer, for each mix. From one mix to the next, one layer becomes more exact: the one that
        removes most divergence per cost.

    Example:

    >>> table = [("a", "static", 1, 0.5), ("a", "float", 2, 0), ("b", "static", 1, 0.1), ("b", "float", 2, 0)]
    >>> rows = [Sensitivity(layer=a, mode=b, cost=c, divergence=d, agreement=1) for a, b, c, d in table]
    >>> [list(mix.values()) for mix in greedy_mixes(rows)]
    [['static', 'static'], ['float', 'static'], ['float', 'float']]
    """
    options: dict[str, list[Sensitivity]] = {}
    for row in rows:
        options.setdefault(row.layer, []).append(row)
    current = {name: min(each, key=lambda row: (row.cost, row.divergence)) for name, each in options.items()}
    mixes = [current]
    while True:
        better = [
            row for row in rows if row.divergence < current[row.layer].divergence and row.cost > current[row.layer].cost
        ]
        better.sort(key=lambda row: _divergence_per_cost(current[row.layer], row), reverse=True)
        more_exact = (current | {row.layer: row} for row in better)
        following = next((mix for mix in more_exact if is_allowed is None or is_allowed(_modes(mix))), None)
        if following is None:
            return [_modes(mix) for mix in mixes]
        current = following
        mixes.append(current)


def _modes(mix: Mapping[str, Sensitivity]) -> dict[str, QuantizationMode]:
    return {name: row.mode for name, row in mix.items()}


def first_meeting_target(
    candidates: Sequence[QuantizationRecipe],
    evaluator: RecipeEvaluator,
    target: float,
    on_file: Callable[[], None] | None = None,
) -> int:
    """Find the first recipe whose file agrees with the float network as required, by binary search.

    Args:
        candidates: Recipes, each about as exact as the one before it or more exact.
        evaluator: Measures their files.
        target: The least mean agreement.
        on_file: Called after each file.

    Returns:
        The index of the recipe; of the last one if none meets the target.
    """

    def meets_target(recipe: QuantizationRecipe) -> bool:
        agreement = evaluator.measure(recipe).agreement
        if on_file:
            on_file()
        return agreement >= target

    return min(bisect.bisect_left(candidates, True, key=meets_target), len(candidates) - 1)


def _divergence_per_cost(before: Sensitivity, after: Sensitivity) -> float:
    return (before.divergence - after.divergence) / max(after.cost - before.cost, _MIN_EXTRA_COST)
