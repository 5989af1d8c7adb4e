"""Recipes as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize.quantization_recipe import QuantizationRecipe
from keras_segformer.models import VARIANTS, SegFormerNetwork

MODELS = Path(__file__).parents[3] / "android_demo/app/src/main/assets/models"
RECIPE = QuantizationRecipe(
    layers={"a": "static", "b": "float"}, operators={"GELU": "static"}, bits=4, rounding="nearest"
)


def test_round_trip(tmp_path):
    RECIPE.save(tmp_path / "r.json")
    assert QuantizationRecipe.load(tmp_path / "r.json") == RECIPE


def test_recipe_in_the_description_of_a_file(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps({"bytes": 1, "quantization": {"recipe": RECIPE.to_dict()}}))
    assert QuantizationRecipe.load(tmp_path / "m.json") == RECIPE


@pytest.mark.parametrize(
    ("recipe", "needs"),
    [
        (QuantizationRecipe(layers={"a": "float"}), False),
        (QuantizationRecipe(layers={"a": "dynamic"}), True),
        (QuantizationRecipe(layers={"a": "dynamic"}, rounding="nearest"), False),
        (QuantizationRecipe(layers={"a": "static"}, rounding="nearest"), True),
        (QuantizationRecipe(layers={"a": "float"}, operators={"GELU": "static"}), True),
    ],
)
def test_need_of_calibration(recipe, needs):
    assert recipe.needs_calibration == needs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "does not contain a valid quantisation recipe"),
        ("[]", "does not contain a valid quantisation recipe"),
        ("[" * 100_000, "does not contain a valid quantisation recipe"),
        ('{"layers": []}', "'layers' of a recipe must map names to quantisation modes"),
        ('{"layers": {"a": "int3"}}', "mode of the layer 'a' is 'int3'; it must be float or dynamic or static"),
        ('{"layers": {}, "operators": {"GELU": "dynamic"}}', "mode of the operation 'GELU' is 'dynamic'"),
        ('{"layers": {}, "bits": -1}', r"weight bits \('bits'\) is -1; it must be 4 or 8"),
        ('{"layers": {}, "bits": 8.0}', "is 8.0; it must be 4 or 8"),
        ('{"layers": {}, "activation_bits": 4}', "is 4; it must be 8 or 16"),
        ('{"layers": {}, "per_channel": 2}', "is 2; it must be False or True"),
        ('{"layers": {}, "rounding": "up"}', "rounding is 'up'; it must be least_output_error or nearest"),
        ('{"layers": {}, "colour": 1}', "A recipe is an object"),
        ('{"quantization": null}', "does not contain a valid quantisation recipe"),
    ],
)
def test_broken_files(tmp_path, text, message):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        QuantizationRecipe.load(tmp_path / "r.json")


@pytest.mark.parametrize("precision", ["int8", "int8_npu"])
def test_bundled_recipe_names_the_layers_of_b0(precision):
    recipe = QuantizationRecipe.load(MODELS / f"b0_camvid_{precision}.json")
    traced = trace_network(fold_all(read_network(SegFormerNetwork(VARIANTS["b0"]))), (64, 64))
    assert set(recipe.layers) == {record.layer.name for record in traced.layers}


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no recipe"):
        QuantizationRecipe.load(tmp_path / "r.json")
