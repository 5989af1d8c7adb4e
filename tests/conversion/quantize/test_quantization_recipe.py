"""Recipes as files."""

from __future__ import annotations

import json

import pytest

from keras_segformer.conversion.quantize.quantization_recipe import Recipe

RECIPE = Recipe(layers={"a": "static", "b": "float"}, operators={"GELU": "static"}, bits=4, rounding="nearest")


def test_round_trip(tmp_path):
    RECIPE.save(tmp_path / "r.json")
    assert Recipe.load(tmp_path / "r.json") == RECIPE


def test_recipe_in_the_description_of_a_file(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps({"bytes": 1, "quantization": {"recipe": RECIPE.to_dict()}}))
    assert Recipe.load(tmp_path / "m.json") == RECIPE


@pytest.mark.parametrize(
    ("recipe", "needs"),
    [
        (Recipe(layers={"a": "float"}), False),
        (Recipe(layers={"a": "dynamic"}), True),
        (Recipe(layers={"a": "dynamic"}, rounding="nearest"), False),
        (Recipe(layers={"a": "static"}, rounding="nearest"), True),
        (Recipe(layers={"a": "float"}, operators={"GELU": "static"}), True),
    ],
)
def test_need_of_calibration(recipe, needs):
    assert recipe.needs_calibration == needs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "holds no recipe"),
        ("[]", "holds no recipe"),
        ('{"layers": {"a": "int3"}}', "a form is one of float, dynamic, static"),
        ('{"layers": {}, "colour": 1}', "An object|A recipe is an object"),
        ('{"quantization": null}', "holds no recipe"),
    ],
)
def test_broken_files(tmp_path, text, message):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        Recipe.load(tmp_path / "r.json")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no recipe"):
        Recipe.load(tmp_path / "r.json")
