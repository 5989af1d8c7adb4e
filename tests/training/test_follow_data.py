"""Values that follow the data, for data of all sizes."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_segformer.data.examples import IMAGE, MASK, NAME, Examples, identity_values
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.label_sets import LabelSet
from keras_segformer.training.follow_data import (
    DataFacts,
    check_classes,
    class_weights,
    complete,
    measure,
    with_splits,
)
from keras_segformer.training.recipe import Recipe, load_recipe


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="PNG")
    return file.getvalue()


def examples(masks: list[np.ndarray], num_classes: int) -> Examples:
    records = {
        IMAGE: [png(np.zeros((*mask.shape, 3), np.uint8)) for mask in masks],
        MASK: [png(mask) for mask in masks],
        NAME: [str(index) for index in range(len(masks))],
    }
    label_set = LabelSet.generic(num_classes)
    dataset = tf.data.Dataset.from_tensor_slices(records)
    return Examples(dataset, len(masks), label_set, identity_values(label_set))


def folder_recipe(**changes) -> Recipe:
    return load_recipe("folder").replace({"initial": "b0_ade20k", "validation_split": "val", **changes})


def test_measuring():
    masks = [np.full(shape, value, np.uint8) for shape, value in (((40, 60), 0), ((50, 60), 2), ((90, 60), 255))]
    facts = measure(examples(masks, 4), count_pixels=True)
    assert (facts.num_examples, facts.image_size) == (3, (50, 60))
    assert facts.pixels.tolist() == [2400, 0, 3000, 0]
    assert measure(examples(masks, 4)).pixels is None


@pytest.mark.parametrize(
    ("image_size", "crop", "batch_size", "validation"),
    [
        ((512, 512), (512, 512), 4, (512, 512)),
        ((360, 480), (352, 480), 6, (352, 480)),
        ((3000, 4000), (512, 672), 3, (512, 704)),
        ((1280, 720), (896, 512), 2, (928, 512)),
        ((500, 5000), (512, 1024), 2, (224, 2048)),
        ((20, 20), (128, 128), 16, (128, 128)),
        ((1, 37), (128, 256), 16, (64, 2048)),
    ],
)
def test_sizes_follow_the_pictures(image_size, crop, batch_size, validation):
    recipe = complete(folder_recipe(), DataFacts(100, image_size))
    assert tuple(recipe.model["input_size"]) == recipe.augmentation["crop_size"] == crop
    assert recipe.augmentation["base_size"] == (2048, min(crop))
    assert recipe.batch_size == batch_size
    assert recipe.validation_size == validation
    assert recipe.build_phases()[0].augmentation.crop_size == crop
    assert recipe.build_optimizer()


@pytest.mark.parametrize(("count", "steps_per_epoch"), [(1, 1), (3, 1), (4, 1), (5, 2), (400, 100)])
def test_steps_follow_from_epochs(count, steps_per_epoch):
    recipe = complete(folder_recipe(epochs=5), DataFacts(count, (512, 512)))
    assert (recipe.steps_per_epoch, recipe.total_steps, recipe.num_epochs) == (steps_per_epoch, 5 * steps_per_epoch, 5)
    assert recipe.schedule["warmup_steps"] == 5 * steps_per_epoch // 10


def test_long_runs_have_the_warmup_of_the_paper():
    recipe = complete(folder_recipe(), DataFacts(100_000, (512, 512)))
    assert recipe.schedule["warmup_steps"] == 1500


def test_batches_are_divided_among_devices():
    assert complete(folder_recipe(), DataFacts(100, (512, 512)), num_replicas=8).batch_size == 8


@pytest.mark.parametrize(
    ("initial", "rate"), [("b0_ade20k", 1.5e-4), ("b5_ade20k", 6e-5), ("b2", 3e-4), ("my/preset", 1.5e-4)]
)
def test_the_rate_follows_the_preset(initial, rate):
    assert complete(folder_recipe(initial=initial), DataFacts(10, (64, 64))).schedule["rate"] == rate


def test_what_is_given_stays():
    given = {"model.input_size": [256, 320], "batch_size": 3, "schedule.rate": 1e-3, "validation_size": [64, 64]}
    recipe = complete(folder_recipe(**given), DataFacts(10, (64, 64)))
    assert recipe.augmentation["crop_size"] == (256, 320)
    assert (recipe.batch_size, recipe.schedule["rate"], recipe.validation_size) == (3, 1e-3, (64, 64))
    whole = load_recipe("b0_camvid")
    assert complete(whole, DataFacts(10, (64, 64))) == whole


def test_a_completed_recipe_says_what_the_open_one_leaves_out():
    completed = complete(folder_recipe(), DataFacts(10, (64, 64)))
    assert completed.title is None
    assert load_recipe("folder").filled_from(completed).trains_like(completed)
    assert not load_recipe("folder").replace({"seed": 1}).filled_from(completed).trains_like(completed)


class TestClassWeights:
    def test_rare_classes_count_more_but_not_all_the_more(self):
        weights = class_weights(np.array([9000, 900, 100]))
        assert weights == sorted(weights)
        assert np.dot(weights, [0.9, 0.09, 0.01]) == pytest.approx(1, abs=1e-3)

    def test_a_class_that_never_occurs(self):
        assert class_weights(np.array([50, 0, 50])) == [1, 1, 1]

    def test_they_are_computed_when_asked_for(self):
        recipe = folder_recipe(**{"loss.class_weights": "auto"})
        completed = complete(recipe, DataFacts(10, (64, 64), pixels=np.array([900, 100])))
        assert completed.build_loss().class_weights == class_weights(np.array([900, 100]))


class TestSplits:
    @pytest.mark.parametrize("count", [2, 3, 4, 20, 101])
    @pytest.mark.parametrize("seed", range(4))
    def test_every_picture_is_in_one_of_them(self, count, seed):
        recipe = with_splits(folder_recipe(validation_split=None, seed=seed), count, has_validation=False)
        pictures = np.arange(count)

        def chosen(split: str) -> list[int]:
            ranges = [part.removeprefix("train[").removesuffix("]").split(":") for part in split.split("+")]
            return [
                int(each)
                for low, high in ranges
                for each in pictures[int(low) if low else None : int(high) if high else None]
            ]

        training, validation = chosen(recipe.train_split), chosen(recipe.validation_split)
        assert sorted(training + validation) == list(pictures)
        assert len(validation) == max(1, round(count / 5))

    def test_the_seed_decides(self):
        splits = [
            with_splits(folder_recipe(validation_split=None, seed=seed), 100, has_validation=False)
            for seed in (0, 0, 1)
        ]
        assert splits[0] == splits[1]
        assert splits[0].validation_split != splits[2].validation_split

    def test_one_picture_is_both(self):
        recipe = with_splits(folder_recipe(validation_split=None), 1, has_validation=False)
        assert (recipe.train_split, recipe.validation_split) == ("train", "train")

    def test_one_that_is_there_is_used(self):
        recipe = with_splits(folder_recipe(validation_split=None), 20, has_validation=True)
        assert (recipe.train_split, recipe.validation_split) == ("train", "val")

    def test_a_part_is_not_divided_further(self):
        recipe = folder_recipe(validation_split=None, train_split="train[:90%]")
        with pytest.raises(InvalidRecipeError, match="give `validation_split` too"):
            with_splits(recipe, 20, has_validation=False)


class TestClasses:
    @pytest.mark.parametrize("num_classes", [1, 2])
    def test_two_classes_take_one_logit_or_two(self, num_classes):
        check_classes(folder_recipe(**{"model.num_classes": num_classes}), LabelSet.generic(2))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"model.num_classes": 5},
                r"\(--classes\) is 5, but the data have 2 classes \(class 0, class 1\); give 2 or 1",
            ),
            ({"loss.class_weights": [1, 2, 3]}, "has 3 numbers, but the data have 2 classes"),
            (
                {"augmentation": {"class_balance": 0.5, "class_frequencies": [1]}},
                "has 1 numbers, but the data have 2 classes",
            ),
            (
                {
                    "phases": [{"from_step": 2, "augmentation": {"class_balance": 0.5, "class_frequencies": [1]}}],
                    "epochs": None,
                    "steps": 4,
                    "steps_per_epoch": 2,
                },
                "has 1 numbers, but the data have 2 classes",
            ),
            ({"augmentation": {"paste": 0.5, "paste_classes": [1, 2]}}, "no class has, since the data have 2 classes"),
        ],
    )
    def test_other_numbers_are_refused(self, changes, message):
        with pytest.raises(InvalidRecipeError, match=message):
            check_classes(folder_recipe(**changes), LabelSet.generic(2))
