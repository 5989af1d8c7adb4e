"""Recipes: data that is complete, consistent with the paper, and refused where it is wrong."""

from __future__ import annotations

import functools
import inspect
import json
import re
from typing import Any

import keras
import pytest

from keras_segformer.analysis.complexity import count_complexity
from keras_segformer.data.augmentation import Augmentation
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.evaluation import evaluate
from keras_segformer.label_sets import load_label_set
from keras_segformer.licenses import License
from keras_segformer.models import VARIANTS
from keras_segformer.presets import PRESETS
from keras_segformer.training.distillation import TeacherSettings
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.recipe import Recipe, load_recipe, recipe_names
from keras_segformer.training.recipe_errors import field_paths
from keras_segformer.training.schedule import WarmupPolynomial

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
        initial = load_recipe(name).initial
        if initial is not None and initial.endswith("/preset"):  # the result of the run before
            assert initial.removesuffix("/preset") in recipe_names()
        else:
            assert initial in VARIANTS or initial in PRESETS or name == "folder"

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
        assert recipe.num_epochs == 1
        assert recipe.build_optimizer().use_ema
        assert recipe.optimizer["weight_decay"] == 0.01

    def test_keys_of_what_is_not_there_yet(self):
        assert load_recipe("b0_ade20k").replace({"early_stopping.patience": 3}).early_stopping == {"patience": 3}

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("stepz", 1, "no `stepz`, which is 1 here; did you mean `steps`?"),
            ("batch-size", 2, "no `batch-size`, which is 2 here; did you mean `batch_size`?"),
            ("optimizer.use-ema", True, "no `optimizer.use-ema`, which is True here; did you mean `optimizer.use_ema`"),
            ("optimizer.use_ema.x", 1, "no `optimizer.use_ema.x`, which is 1 here; did you mean `optimizer.use_ema`?"),
            (
                "optimizer.groups.rate",
                1,
                "no `optimizer.groups.rate`, which is 1 here; did you mean `optimizer.groups`",
            ),
            ("flip", 0, "did you mean `augmentation.flip` or `phases.augmentation.flip` or `evaluation.flip`?"),
            ("augmentation.colour", True, "no `augmentation.colour`"),
            ("lr", 1e-3, "did you mean `schedule.rate`?"),
            ("optimizer.learning_rate", 1e-3, "did you mean `schedule.rate`?"),
            ("preset", "b0_ade20k", "did you mean `initial` or `teacher.preset`?"),
            ("num_classes", 3, "did you mean `model.num_classes`?"),
            ("image_size", 3, "did you mean `model.input_size`?"),
            ("optimizer.momentum", 0.9, "did you mean `optimizer.ema_momentum`?"),
            ("evaluation.sise", "square", "did you mean `evaluation.size`?"),
            ("early_stopping.patients", 3, "did you mean `early_stopping.patience`?"),
            ("steps.inner", 1, "`steps` is 160000; change `steps` as a whole"),
            ("steps", 4001, "multiple of `steps_per_epoch`; got 4001 and 4000: take 4000 steps"),
            ("steps", None, "either `epochs` or `steps`"),
            ("steps_per_epoch", None, "need `steps_per_epoch`"),
            ("dataset", "ade20", 'did you mean "ade20k"?'),
            ("dtype", "float16", "`dtype` of 'float16' cannot be trained"),
            ("dtype", "mixed_float61", 'did you mean "mixed_float16"?'),
            ("evaluation.mode", "slid", 'did you mean "slide"?'),
            ("train_split", "trian", '"train[:90%]"'),
            ("model.drop_path", 0.1, "did you mean `drop_path_rate`?"),
            ("model.drop_path_rate", 2, "`drop_path_rate` must be in [0, 1); got 2.0"),
            ("license", {"name": "MIT"}, "lacks `license.url`; add it. Also wrong: `license.non_commercial`."),
            ("schedule.warmup_steps", 200_000, "longer than the run of 160000 steps"),
            ("schedule.decay_steps", 200_000, "longer than the run of 160000 steps"),
            ("augmentation.class_balance", 0.5, "no effect without `augmentation.class_frequencies`"),
            ("augmentation.class_frequencies", [0, 0], "must not all be zero"),
            ("augmentation.paste", 0.5, "no effect without `augmentation.paste_classes`"),
            ("augmentation.paste_classes", [-1], "must be indices of classes, or null"),
            ("augmentation.paste_classes", [1], "no effect without `augmentation.paste`"),
            ("augmentation.class_frequencies", [1, 2], "no effect without `augmentation.class_balance`"),
            (
                "phases",
                [{"from_step": 4000, "augmentation": {"class_balance": 0.5}}],
                "no effect without `augmentation.",
            ),
            ("augmentation.scale", [2, 1], "the smaller factor first; got [2.0, 1.0]"),
            ("augmentation.base_size", [512, 2048], "the long side first"),
            ("optimizer.ema_momentum", 0.9, "no effect without `optimizer.use_ema`"),
            ("optimizer", {"clipnorm": 1, "clipvalue": 1}, "exclude each other"),
            ("optimizer.groups", [{"pattern": "(", "rate": 1, "decay": 1}], "`optimizer.groups[0].pattern`"),
            ("loss.min_kept", 0.5, "no effect without `loss.hard_example_threshold`"),
            ("loss.class_weights", "auot", '"auto"'),
            ("loss.class_weights", [0, 0], "must not all be zero; got [0.0, 0.0]: give the classes to learn one"),
            ("loss.ignore_class", 11, "leave it out, and map 11 to 255 by `raw_to_train` in classes.json"),
            (
                "optimizer.gradient_accumulation_steps",
                160_001,
                "more than the 160000 steps of the run, so that no weight would change",
            ),
            ("teacher.weight", 2.0, "`teacher` of {'weight': 2.0} needs `teacher.preset` (--teacher)"),
            ("teacher.kind", "chanel", 'did you mean "channel"?'),
            ("teacher.class_mapping", [], "a class index for every class of the teacher"),
            ("early_stopping", {"monitor": "val_loss", "mode": "max"}, "leave it out"),
            ("phases", [{"from_step": 4000, "crop_size": [64, 64]}], "or `phases.augmentation.crop_size`?"),
            ("phases", [{"from_step": 4001}], "multiple of 4000, `steps_per_epoch`"),
            ("phases", [{"from_step": 160_000}], "below the 160000 steps"),
            ("phases", [{"from_step": 8000}, {"from_step": 4000}], "`phases[1].from_step`"),
            ("phases", [{"from_step": 4000, "augmentation": {"crop_size": [8, 8]}}], "augmentation.crop_size"),
        ],
    )
    def test_wrong_values_are_named(self, key, value, message):
        with pytest.raises(InvalidRecipeError, match=re.escape(message)):
            load_recipe("b0_ade20k").replace({key: value})

    def test_epochs_take_the_place_of_steps(self):
        recipe = load_recipe("b0_camvid").replace({"epochs": 3})
        assert (recipe.total_steps, recipe.num_epochs) == (750, 3)
        again = recipe.replace({"steps": 500})
        assert (again.total_steps, again.num_epochs) == (500, 2)

    @pytest.mark.parametrize(
        ("changes", "outdated"),
        [
            ({"dataset": "folder"}, {"title", "command", "expected", "time", "license"}),
            ({"initial": "b1"}, {"title", "command", "expected", "time"}),
            ({"steps": 500}, {"command", "expected", "time"}),
            ({"evaluation.size": "square"}, {"expected"}),
            ({"weights_dtype": "float32"}, set()),
            ({"steps": 4000}, set()),
            ({"dataset": "folder", "title": "Mine"}, {"command", "expected", "time", "license"}),
        ],
    )
    def test_descriptions_fall_away_with_what_they_describe(self, changes, outdated):
        recipe = load_recipe("b0_camvid").replace(changes)
        descriptions = ("title", "command", "expected", "time", "license")
        assert {name for name in descriptions if getattr(recipe, name) is None} == outdated


@functools.cache
def wrong_values() -> list[tuple[str, Any]]:
    """For every field of the schema values of another type, and numbers out of its range."""
    found = []
    for path, field in field_paths(Recipe).items():
        kinds = [field, *field.get("anyOf", ())]
        types = {kind.get("type") for kind in kinds}
        found.append((path, 7 if "string" in types else "seven"))
        if "string" in types or "array" in types:
            found.append((path, {"seven": 7}))
        for kind in kinds:
            if kind.get("type") in ("integer", "number"):
                found.append((path, True))
                found += [(path, kind[limit] - 1) for limit in ("minimum", "exclusiveMinimum") if limit in kind]
                found += [(path, kind[limit] + 1) for limit in ("maximum", "exclusiveMaximum") if limit in kind]
    return [(path, value) for path, value in found if not path.startswith(("phases.", "optimizer.groups."))]


@pytest.mark.parametrize(("path", "value"), wrong_values(), ids=str)
def test_every_field_refuses_wrong_values_in_one_sentence(path, value):
    with pytest.raises(InvalidRecipeError) as error:
        load_recipe("b0_camvid").replace({path: value})
    message = str(error.value)
    assert path in message
    assert repr(value) in message
    assert "must be" in message or "did you mean" in message
    assert "\n" not in message


SECTIONS = {
    "augmentation": (Augmentation, set()),
    "schedule": (WarmupPolynomial, {"total_steps", "first_step"}),
    "loss": (SegmentationLoss, {"name", "kwargs"}),
    "evaluation": (evaluate, {"model", "examples", "class_mapping", "boundary", "progress", "transform"}),
    "license": (License, set()),
    "teacher": (TeacherSettings, set()),
    "optimizer": (keras.optimizers.AdamW, {"learning_rate", "amsgrad", "name", "kwargs"}),
    "early_stopping": (keras.callbacks.EarlyStopping, {"verbose", "restore_best_weights"}),
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_schema_has_the_arguments_of_the_classes(section):
    function, left_out = SECTIONS[section]
    known = {path.split(".")[1] for path in field_paths(Recipe) if path.startswith(f"{section}.")}
    if section == "optimizer":
        known -= {"groups"}
    assert known == inspect.signature(function).parameters.keys() - left_out


class TestPhases:
    def test_one_without_any(self):
        recipe = load_recipe("b0_ade20k")
        assert recipe.build_phases() == ((0, recipe.num_epochs, recipe.build_augmentation()),)

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
        ("text", "message"), [("{", "not a JSON file"), ("[]", "JSON object"), ("{}", "lacks `dataset`; add it")]
    )
    def test_broken_files_are_errors(self, tmp_path, text, message):
        path = tmp_path / "broken.json"
        path.write_text(text)
        with pytest.raises(InvalidRecipeError, match=message):
            load_recipe(path)
