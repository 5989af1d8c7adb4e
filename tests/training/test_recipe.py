"""Recipes: data that is complete, consistent with the paper, and refused where it is wrong."""

from __future__ import annotations

import json
import re

import pytest

from keras_segformer.analysis.complexity import count_complexity
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.label_sets import load_label_set
from keras_segformer.models import VARIANTS
from keras_segformer.presets import PRESETS
from keras_segformer.training.recipe import Recipe, load_recipe, recipe_names

PAPER = [f"b{number}_{dataset}" for number in range(6) for dataset in ("ade20k", "cityscapes")]


def test_every_row_of_the_paper_has_a_recipe():
    assert set(PAPER) < set(recipe_names())
    assert {"b0_camvid", "b0_camvid_continued", "b0_camvid_finetune", "b0_oxford_iiit_pet"} < set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
class TestEveryRecipe:
    def test_round_trips(self, name):
        recipe = load_recipe(name)
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe

    def test_states_its_command_score_and_time(self, name):
        recipe = load_recipe(name)
        assert recipe.command.startswith(f"keras-segformer train --recipe {name} ")
        assert recipe.expected
        assert recipe.time

    def test_starts_from_something_known(self, name):
        recipe = load_recipe(name)
        assert recipe.initial in VARIANTS or recipe.initial in PRESETS

    def test_has_a_weight_for_every_class(self, name):
        weights = load_recipe(name).loss.get("class_weights")
        if weights is not None:
            assert len(weights) == load_label_set(load_recipe(name).dataset).num_classes


@pytest.mark.parametrize("name", PAPER)
class TestPaper:
    def test_score_is_the_catalogues(self, name):
        score = PRESETS[name].paper.miou_single_scale
        assert f"mean IoU {score} %" in load_recipe(name).expected

    def test_time_follows_from_the_operations(self, name):
        recipe = load_recipe(name)
        classes = load_label_set(recipe.dataset).num_classes
        variant = VARIANTS[name.split("_")[0]].replace(num_classes=classes)
        macs = count_complexity(variant, recipe.augmentation["crop_size"]).total.macs
        # Two operations a MAC; a backward pass costs about two forward passes.
        operations = 6 * macs * recipe.batch_size * recipe.steps
        assert recipe.time.startswith(f"{operations:.1e} floating-point operations: {operations / 1e13 / 3600:.0f} h")

    def test_optimizer_is_the_papers(self, name):
        optimizer = load_recipe(name).build_optimizer()
        schedule = optimizer.get_config()["learning_rate"]["config"]
        assert (schedule["rate"], schedule["total_steps"], schedule["warmup_steps"]) == (6e-5, 160_000, 1_500)
        assert optimizer.decoupled_weight_decay == 0.01
        assert optimizer.factors("decoder/classifier/kernel") == (10.0, 1.0)
        assert optimizer.factors("stage1_block1/norm1/gamma") == (1.0, 0.0)


class TestChanges:
    def test_inner_and_outer_keys(self):
        recipe = load_recipe("b0_ade20k").replace({"steps": 4000, "optimizer.use_ema": True})
        assert recipe.epochs == 1
        assert recipe.build_optimizer().use_ema
        assert recipe.optimizer["weight_decay"] == 0.01

    def test_keys_of_what_is_not_there_yet(self):
        assert load_recipe("b0_ade20k").replace({"early_stopping.patience": 3}).early_stopping == {"patience": 3}

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("stepz", 1, "unknown keys ['stepz']"),
            ("steps", 4001, "multiple of `steps_per_epoch`"),
            ("steps", 0, "`steps` must be a whole number"),
            ("batch_size", 2.5, "`batch_size` must be a whole number"),
            ("batch_size", True, "`batch_size` must be a whole number"),
            ("augmentation.crop_size", [8, 8], "at least 32 pixels"),
            ("augmentation.colour", True, "colour"),
            ("optimizer.momentum", 0.9, "momentum"),
            ("schedule.warmup_steps", 200_000, "warm-up"),
            ("loss.min_kept", 2, "share"),
            ("augmentation.class_balance", 0.5, "needs `class_frequencies`"),
            ("schedule.decay_steps", 0, "`decay_steps`"),
            ("phases", {"from_step": 4000}, "`phases` must be a list"),
            ("phases", [4000], "object of `from_step`"),
            ("phases", [{"augmentation": {}}], "object of `from_step`"),
            ("phases", [{"from_step": 4000, "crop_size": [64, 64]}], "object of `from_step`"),
            ("phases", [{"from_step": 4001}], "multiples of `steps_per_epoch`"),
            ("phases", [{"from_step": 0}], "multiples of `steps_per_epoch`"),
            ("phases", [{"from_step": True}], "multiples of `steps_per_epoch`"),
            ("phases", [{"from_step": 160_000}], "below `steps`"),
            ("phases", [{"from_step": 8000}, {"from_step": 4000}], "after the one before"),
            ("phases", [{"from_step": 4000, "augmentation": {"crop_size": [8, 8]}}], "at least 32 pixels"),
            ("phases", [{"from_step": 4000, "augmentation": {"colour": 1}}], "colour"),
        ],
    )
    def test_wrong_values_are_named(self, key, value, message):
        with pytest.raises(InvalidRecipeError, match=re.escape(message)):
            load_recipe("b0_ade20k").replace({key: value})


class TestPhases:
    def test_one_without_any(self):
        recipe = load_recipe("b0_ade20k")
        assert recipe.build_phases() == ((0, recipe.epochs, recipe.build_augmentation()),)

    def test_changes_add_up(self):
        recipe = load_recipe("b0_ade20k").replace(
            {
                "phases": [
                    {"from_step": 8000, "augmentation": {"crop_size": [256, 256]}},
                    {"from_step": 40_000, "augmentation": {"flip": 0.0}},
                ]
            }
        )
        phases = recipe.build_phases()
        assert [(phase.first_epoch, phase.end_epoch) for phase in phases] == [(0, 2), (2, 10), (10, 40)]
        assert [phase.augmentation.crop_size for phase in phases] == [(512, 512), (256, 256), (256, 256)]
        assert [phase.augmentation.flip for phase in phases] == [0.5, 0.5, 0.0]
        assert not recipe.trains_like(load_recipe("b0_ade20k"))


class TestFiles:
    def test_a_file_is_a_recipe(self, tmp_path):
        path = tmp_path / "mine.json"
        path.write_text(json.dumps(load_recipe("b0_ade20k").to_dict() | {"title": "mine"}))
        assert load_recipe(path).title == "mine"

    def test_unknown_names_come_with_close_ones(self):
        with pytest.raises(InvalidRecipeError, match="b0_camvid"):
            load_recipe("b0_camvit")

    @pytest.mark.parametrize(
        ("text", "message"), [("{", "no JSON file"), ("[]", "JSON object"), ("{}", "lacks the keys")]
    )
    def test_broken_files_are_errors(self, tmp_path, text, message):
        path = tmp_path / "broken.json"
        path.write_text(text)
        with pytest.raises(InvalidRecipeError, match=message):
            load_recipe(path)
