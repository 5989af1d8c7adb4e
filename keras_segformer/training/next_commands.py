"""The commands that a finished run suggests, with its own paths."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from keras_segformer.data.sources import SOURCES
from keras_segformer.quiet import PROGRAM
from keras_segformer.training.recipe import Recipe
from keras_segformer.training.run_settings import RunSettings


def next_commands(recipe: Recipe, settings: RunSettings, preset: Path) -> list[str]:
    """What to do with the result of a run: look at it, score it, put it on a phone.

    Args:
        recipe: What the run followed.
        settings: Where it read and wrote.
        preset: The preset folder.

    Returns:
        Three command lines for a shell.
    """
    predict = ["predict", _pictures(recipe, settings), "--preset", str(preset), "--output"]
    predict.append(str(settings.output / "predictions"))
    evaluate = evaluation_arguments(recipe, str(preset), settings.data and str(settings.data))
    if settings.cache:
        evaluate += ["--cache", str(settings.cache)]
    if settings.skip_bad:
        evaluate += ["--skip-bad"]
    if settings.bit_depth:
        evaluate += ["--bit-depth", str(settings.bit_depth)]
    convert = ["convert", "--preset", str(preset), "--precision", "float16"]
    convert += ["--output", str(settings.output / "model.tflite")]
    return [shlex.join([PROGRAM, *command]) for command in (predict, evaluate, convert)]


def evaluation_arguments(recipe: Recipe, preset: str, data: str | None) -> list[str]:
    """The arguments that make `keras-segformer evaluate` repeat the scores on the model card.

    Args:
        recipe: What the run followed.
        preset: The preset folder.
        data: Folder or archive of the data set, where it is not downloaded.

    Returns:
        The command and its arguments.

    Example:

    >>> recipe = Recipe(dataset="folder", epochs=30, evaluation={"size": (512, 640), "antialias": True})
    >>> shlex.join(evaluation_arguments(recipe, "run/preset", "mine"))
    'evaluate --preset run/preset --dataset folder --data mine --split val --mode whole --size 512x640 --antialias'
    """
    arguments = ["evaluate", "--preset", preset, "--dataset", recipe.dataset]
    if data:
        arguments += ["--data", data]
    arguments += ["--split", recipe.validation_split or "val"]
    arguments += ["--mode", recipe.evaluation.get("mode", "whole"), "--size", _size(recipe.evaluation.get("size"))]
    flags = ("flip", "antialias")
    return arguments + [f"--{flag}" for flag in flags if recipe.evaluation.get(flag)]


def _size(size: Any) -> str:
    if size is None:
        return "aligned"
    return size if isinstance(size, str) else "x".join(map(str, size))


def _pictures(recipe: Recipe, settings: RunSettings) -> str:
    """A folder of pictures to predict: those of the test or the validation split, where they lie in a folder."""
    if settings.data is None or recipe.dataset not in SOURCES or settings.data.is_file():
        return "PHOTOS"
    listings = SOURCES[recipe.dataset].find(settings.data)
    listing = next(listings[split] for split in ("test", "val", "train") if split in listings)
    image = listing.pairs[0].image
    return str(image.parent) if isinstance(image, Path) else "PHOTOS"
