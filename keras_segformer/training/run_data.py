"""The data of a run: both splits, and what the recipe takes from them."""

from __future__ import annotations

import json
import sys
from pathlib import PurePosixPath
from typing import Any

from keras_segformer.data.examples import NAME, Examples
from keras_segformer.data.loading import load
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.files import write_file
from keras_segformer.training.follow_data import check_classes, complete, measure, with_splits
from keras_segformer.training.recipe import Recipe
from keras_segformer.training.run_settings import RunSettings
from keras_segformer.training.strategies import Devices

SPLIT = "split.json"


def load_data(recipe: Recipe, settings: RunSettings, devices: Devices) -> tuple[Recipe, Examples, Examples]:
    """Loads both splits, and completes the recipe with the values that follow the data.

    Args:
        recipe: The recipe.
        settings: Where the data are, and how they are prepared.
        devices: Among which the batches are divided.

    Returns:
        The recipe, the examples to train on and those to validate on.

    Raises:
        InvalidDatasetError: The data set is missing or broken.
        InvalidRecipeError: The recipe does not fit the data.
    """

    _check_splits(recipe, settings)

    def load_split(split: str) -> Examples:
        return load(recipe.dataset, split, settings.data, settings.cache, settings.skip_bad, settings.bit_depth)

    training = load_split(recipe.train_split)
    check_classes(recipe, training.label_set)
    splits = with_splits(recipe, training.size, _has_validation(recipe, settings))
    if splits.train_split != recipe.train_split:
        training = load_split(splits.train_split)
    validation = load_split(splits.validation_split)
    facts = measure(training, count_pixels=recipe.loss.get("class_weights") == "auto")
    completed = complete(splits, facts, devices.num_replicas)
    if completed.title is None:
        completed = completed.replace({"title": _title(completed, settings)})
    return completed, training, validation


def _title(recipe: Recipe, settings: RunSettings) -> str:
    """A title for a run that differs from what its recipe describes."""
    data = settings.data.resolve().name if settings.data and recipe.dataset == "folder" else recipe.dataset
    return f"SegFormer from {PurePosixPath(recipe.initial).name} on {data}"


def _has_validation(recipe: Recipe, settings: RunSettings) -> bool:
    source = SOURCES.get(recipe.dataset)
    return source is None or "val" in source.find(settings.data)


def _check_splits(recipe: Recipe, settings: RunSettings) -> None:
    """Refuses splits that the data do not have, before they are prepared."""
    source = SOURCES.get(recipe.dataset)
    if source is None:
        return
    found = list(source.find(settings.data))
    for name in ("train_split", "validation_split"):
        missing = [part for part in _split_names(getattr(recipe, name)) if part not in found]
        if missing:
            made = ", or have one made by --set validation_split=null" if name == "validation_split" else ""
            parts = f"--set train_split={found[0]}[:80%] --set validation_split={found[0]}[80%:]"
            raise InvalidRecipeError(
                f"`{name}` is {getattr(recipe, name)!r}, but the data have only {' and '.join(found)}; name parts of "
                f"what there is, as with {parts}{made}."
            )


def _split_names(split: str | None) -> list[str]:
    """The splits of which a choice such as `"train[:90%]+val"` takes a part."""
    return [part.partition("[")[0] for part in (split or "").split("+") if part]


def write_split(recipe: Recipe, settings: RunSettings, training: Examples, validation: Examples) -> None:
    """Lists the pictures of a split that was made in the folder of the run.

    Args:
        recipe: The completed recipe, which names the splits.
        settings: Where the run is.
        training: The examples to train on.
        validation: The examples to validate on.
    """
    splits = {"train": (recipe.train_split, training), "val": (recipe.validation_split, validation)}
    content: dict[str, Any] = {"seed": recipe.seed}
    for name, (split, examples) in splits.items():
        pictures = [record[NAME].decode() for record in examples.encoded.as_numpy_iterator()]
        content[name] = {"split": split, "pictures": pictures}
    write_file(settings.output / SPLIT, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def announce_data(recipe: Recipe, training: Examples, validation: Examples) -> None:
    """Prints the sizes of the data and of the run on the standard error.

    Args:
        recipe: The completed recipe.
        training: The examples to train on.
        validation: The examples to validate on.
    """
    if recipe.train_split == recipe.validation_split:
        pictures = "There is one picture" if training.size == 1 else f"There are {training.size} pictures"
        print(f"{pictures}, for training and validation: the score says nothing about others", file=sys.stderr)
    else:
        print(
            f"Pictures to train on: {training.size} ({recipe.train_split}); to validate on: {validation.size} "
            f"({recipe.validation_split}); classes: {training.label_set.num_classes}",
            file=sys.stderr,
        )
    height, width = recipe.build_augmentation().crop_size
    print(
        f"Epochs: {recipe.num_epochs}; steps in each: {recipe.steps_per_epoch}; crops in a step: {recipe.batch_size} "
        f"of {height}x{width} pixels; learning rate: {recipe.schedule['rate']:g}",
        file=sys.stderr,
    )
