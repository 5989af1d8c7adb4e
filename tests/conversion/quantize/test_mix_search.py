"""The search for a mix."""

from __future__ import annotations

import itertools

import pytest

from keras_segformer.conversion.quantize.layer_time import layer_seconds
from keras_segformer.conversion.quantize.mix_search import Sensitivity, first_that_meets, mixes
from keras_segformer.conversion.quantize.plans import PLANS, integer_share, recipe_without_search, search_recipe
from keras_segformer.conversion.quantize.quantization_recipe import Recipe
from keras_segformer.conversion.report.fidelity import Fidelity

pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")


def table(rows):
    return [Sensitivity(layer=a, form=b, cost=c, error=d, agreement=1.0) for a, b, c, d in rows]


def test_mixes_go_from_the_fastest_to_the_most_exact():
    rows = table(
        [
            *[("a", "static", 1, 9.0), ("a", "dynamic", 2, 1.0), ("a", "float", 9, 0.0)],
            *[("b", "static", 1, 0.2), ("b", "float", 2, 0.0)],
            *[("c", "static", 5, 7.0), ("c", "float", 4, 0.0)],  # float is faster and more exact
        ]
    )
    found = mixes(rows)
    assert found == [
        {"a": "static", "b": "static", "c": "float"},
        {"a": "dynamic", "b": "static", "c": "float"},
        {"a": "dynamic", "b": "float", "c": "float"},
        {"a": "float", "b": "float", "c": "float"},
    ]
    cost = {(row.layer, row.form): row.cost for row in rows}
    costs = [sum(cost[choice] for choice in mix.items()) for mix in found]
    assert all(before < after for before, after in itertools.pairwise(costs))


class Pretender:
    """A judge of recipes that counts float layers."""

    def __init__(self):
        self.asked = 0

    def measure(self, recipe):
        self.asked += 1
        agreement = list(recipe.layers.values()).count("float") / len(recipe.layers)
        return Fidelity(images=1, agreement=agreement, worst_agreement=agreement, error=0.0)


@pytest.mark.parametrize(("target", "expected"), [(0.0, 0), (0.31, 31), (0.315, 32), (1.0, 100), (2.0, 100)])
def test_first_that_meets_the_target(target, expected):
    names = [str(index) for index in range(100)]
    recipes = [
        Recipe(layers={name: "float" if index < floats else "static" for index, name in enumerate(names)})
        for floats in range(101)
    ]
    judge = Pretender()
    assert first_that_meets(recipes, judge, target) == expected
    assert judge.asked <= 8


def test_layer_time(float_file):
    for name in ("stage1/embedding", "stage1/block1/depthwise", "decoder/classifier"):
        assert 0 < layer_seconds(float_file.layers[name], "float") < 1
        assert 0 < layer_seconds(float_file.layers[name], "static") < 1


@pytest.mark.parametrize("precision", ["int8", pytest.param("int8_npu", marks=pytest.mark.slow)])
def test_search(precision, float_file, pictures):
    steps = []
    found = search_recipe(
        precision, float_file, pictures[:2], target=0.95, on_step=lambda *step: lambda: steps.append(step)
    )
    assert set(found.recipe.layers) == set(float_file.layers)
    assert found.fidelity.agreement >= 0.95
    assert found.recipe.activation_bits == PLANS[precision].activation_bits
    assert {row.layer for row in found.sensitivity} == set(float_file.layers)
    assert all(row.error > 0 for row in found.sensitivity if row.form != "float")
    assert len(steps) >= len(float_file.layers)


@pytest.mark.slow
def test_target_decides_how_much_is_float(float_file, pictures):
    shares = [
        integer_share(search_recipe("int8_npu", float_file, pictures[:2], target=target).recipe, float_file.layers)
        for target in (0.5, 1.01)  # the latter cannot be met
    ]
    assert shares[0] > 0.9
    assert shares[1] < shares[0]


def test_recipe_without_search(float_file):
    recipe = recipe_without_search("dynamic", float_file, "litert", calibrated=False)
    assert not recipe.needs_calibration
    assert {"dynamic", "float"} == set(recipe.layers.values())
    assert recipe.layers["stage3/start"] == recipe.layers["stage1/block1/depthwise"] == "float"
    assert recipe_without_search("dynamic", float_file, "litert", calibrated=True).needs_calibration
