"""The search for a recipe."""

from __future__ import annotations

import itertools

import pytest

from keras_segformer.conversion.quantize import search
from keras_segformer.conversion.quantize.integer_share import integer_share
from keras_segformer.conversion.quantize.layer_timing import layer_seconds
from keras_segformer.conversion.quantize.mixes import first_meeting_target, greedy_mixes
from keras_segformer.conversion.quantize.plans import PLANS
from keras_segformer.conversion.quantize.quantization_recipe import QuantizationRecipe
from keras_segformer.conversion.quantize.search import default_recipe, search_recipe
from keras_segformer.conversion.quantize.sensitivity import RecipeEvaluator, Sensitivity
from keras_segformer.conversion.report.fidelity import Fidelity

pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")


def table(rows):
    return [Sensitivity(layer=a, mode=b, cost=c, divergence=d, agreement=1.0) for a, b, c, d in rows]


def test_mixes_go_from_the_fastest_to_the_most_exact():
    rows = table(
        [
            *[("a", "static", 1, 9.0), ("a", "dynamic", 2, 1.0), ("a", "float", 9, 0.0)],
            *[("b", "static", 1, 0.2), ("b", "float", 2, 0.0)],
            *[("c", "static", 5, 7.0), ("c", "float", 4, 0.0)],  # float is faster and more exact
        ]
    )
    mixes = greedy_mixes(rows)
    assert mixes == [
        {"a": "static", "b": "static", "c": "float"},
        {"a": "dynamic", "b": "static", "c": "float"},
        {"a": "dynamic", "b": "float", "c": "float"},
        {"a": "float", "b": "float", "c": "float"},
    ]
    cost = {(row.layer, row.mode): row.cost for row in rows}
    costs = [sum(cost[choice] for choice in mix.items()) for mix in mixes]
    assert all(before < after for before, after in itertools.pairwise(costs))


def test_mixes_within_limits_pass_over_what_is_too_much():
    rows = table(
        [
            *[("a", "static", 0, 9.0), ("a", "float", 8, 0.0)],  # removes most error per cost
            *[("b", "static", 0, 1.0), ("b", "float", 2, 0.0)],
            *[("c", "static", 0, 0.1), ("c", "float", 2, 0.0)],
        ]
    )
    mixes = greedy_mixes(rows, lambda mix: mix["a"] == "static")
    assert [list(mix.values()).count("float") for mix in mixes] == [0, 1, 2]
    assert mixes[-1] == {"a": "static", "b": "float", "c": "float"}


class FakeEvaluator:
    """An evaluator for which the agreement is the share of float layers."""

    def __init__(self):
        self.calls = 0

    def measure(self, recipe):
        self.calls += 1
        agreement = list(recipe.layers.values()).count("float") / len(recipe.layers)
        return Fidelity(images=1, agreement=agreement, worst_agreement=agreement, divergence=0.0)


@pytest.mark.parametrize(("target", "expected"), [(0.0, 0), (0.31, 31), (0.315, 32), (1.0, 100), (2.0, 100)])
def test_first_recipe_that_meets_the_target(target, expected):
    names = [str(index) for index in range(100)]
    recipes = [
        QuantizationRecipe(layers={name: "float" if index < floats else "static" for index, name in enumerate(names)})
        for floats in range(101)
    ]
    evaluator = FakeEvaluator()
    assert first_meeting_target(recipes, evaluator, target) == expected
    assert evaluator.calls <= 8


def test_layer_time(float_file):
    for name in ("stage1/embedding", "stage1/block1/depthwise", "decoder/classifier"):
        assert 0 < layer_seconds(float_file.layers[name], "float") < 1
        assert 0 < layer_seconds(float_file.layers[name], "static") < 1


# Each layer is measured by itself, so that a network of one stage is searched in a fraction of the time.
@pytest.mark.parametrize(
    ("precision", "source"),
    [
        ("int8", "small_file"),
        *(pytest.param(name, "float_file", marks=pytest.mark.slow) for name in ("int8", "int8_npu")),
    ],
)
def test_search(precision, source, request, pictures):
    file, steps = request.getfixturevalue(source), []
    default = default_recipe(precision, file, "litert", calibrated=True)
    missed = RecipeEvaluator(file, pictures[:2]).measure(default).agreement
    result = search_recipe(
        precision,
        file,
        pictures[:2],
        pictures[2:4],
        target=missed + 1e-6,
        progress=lambda *task: lambda: steps.append(task),
    )
    assert set(result.recipe.layers) == set(file.layers)
    assert result.fidelity.agreement >= missed
    assert result.recipe.activation_bits == PLANS[precision].activation_bits
    assert {row.layer for row in result.sensitivity} == set(file.layers)
    assert all(row.divergence > 0 for row in result.sensitivity if row.mode != "float")
    assert len(steps) >= len(file.layers)


def test_no_layer_is_measured_where_all_may_be_integers(small_file, pictures):
    result = search_recipe("int8", small_file, pictures[:2], pictures[2:4], target=0.5)
    assert result.recipe == default_recipe("int8", small_file, "litert", calibrated=True)
    assert result.fidelity.agreement >= result.target == 0.5
    assert result.sensitivity == ()


@pytest.mark.parametrize("precision", ["int8", "int8_npu"])
def test_what_may_be_integers_counts(precision, small_file, pictures, monkeypatch):
    """Products of attention in files for NPUs, but not in those for CPUs, where they are always float."""

    class Evaluator:
        agreements = iter([0.0, 1.0])  # of the default recipe and of the mix

        def __init__(self, *arguments):
            pass

        def measure(self, recipe):
            agreement = next(self.agreements)
            return Fidelity(images=1, agreement=agreement, worst_agreement=agreement, divergence=0.0)

    def measured(choices, plan, file, images, cost, progress):
        modes = {name: (*each, "float") for name, each in choices.items()}
        return table(
            [(a, b, cost(a, b), float(b != "float")) for a, each in modes.items() for b in dict.fromkeys(each)]
        )

    monkeypatch.setattr(search, "RecipeEvaluator", Evaluator)
    default = default_recipe(precision, small_file, "litert", calibrated=True)
    least = integer_share(default.layers, small_file.layers)
    if precision == "int8":  # where some layer may be float, but not as many multiplications as attention has
        layers = small_file.layers.values()
        products = sum(layer.macs for layer in layers if not layer.has_weights)
        least *= 1 - products / sum(layer.macs for layer in layers) / 2
    monkeypatch.setattr(search, "_MIN_INTEGER_SHARE", least)
    monkeypatch.setattr(search, "_measure_layers", measured)
    found = search_recipe(precision, small_file, pictures[:2], pictures[2:4], target=0.5).recipe
    assert integer_share(found.layers, small_file.layers, include_attention=precision == "int8_npu") >= least
    assert precision == "int8_npu" or found != default


@pytest.mark.slow
def test_target_decides_how_much_is_float(float_file, pictures):
    shares = [
        integer_share(
            search_recipe("int8_npu", float_file, pictures[:2], pictures[2:4], target=target).recipe.layers,
            float_file.layers,
        )
        for target in (0.5, 1.01)  # the latter cannot be met
    ]
    assert shares[0] > 0.9
    assert shares[1] < shares[0]


def test_default_recipe(float_file):
    recipe = default_recipe("dynamic", float_file, "litert", calibrated=False)
    assert not recipe.needs_calibration
    assert {"dynamic", "float"} == set(recipe.layers.values())
    assert recipe.layers["stage3/start"] == recipe.layers["stage1/block1/depthwise"] == "float"
    assert default_recipe("dynamic", float_file, "litert", calibrated=True).needs_calibration
