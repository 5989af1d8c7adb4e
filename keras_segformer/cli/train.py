"""`keras-segformer train`: a training run from a recipe."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from keras_segformer.allocator import keep_freed_memory
from keras_segformer.cli.evaluate import print_evaluation
from keras_segformer.quiet import is_program
from keras_segformer.segformer import SegFormer
from keras_segformer.training.next_commands import next_commands
from keras_segformer.training.recipe import Recipe, load_recipe
from keras_segformer.training.run import CURVE, EXAMPLES, FIGURE, FinishedRun, follow
from keras_segformer.training.run_settings import RunSettings


def run(args: argparse.Namespace) -> int:
    """Trains.

    Args:
        args: What the parser returns.

    Returns:
        The exit status 0.

    Raises:
        FileExistsError: The folder of the run holds something.
        InvalidRecipeError: There is no such recipe, a value of it is wrong, or it does not fit the data.
        InvalidDatasetError: The data set is missing or broken.
        MissingExtraError: A package that training needs is not installed.
        PresetNotFoundError: The initial weights cannot be found or downloaded.
    """
    if is_program():
        keep_freed_memory()
    recipe = load_recipe(args.recipe).replace(_changes(args))
    settings = RunSettings(
        output=args.output,
        data=args.data,
        cache=args.cache,
        skip_bad=args.skip_bad,
        bit_depth=args.bit_depth,
        resume=args.resume,
        strategy=args.strategy,
        deterministic=args.deterministic,
    )
    _print_recipe(recipe)
    finished = follow(SegFormer, recipe, settings)
    if finished.evaluation is not None:
        print_evaluation(finished.evaluation)
        _print_result(finished, settings)
    return 0


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    """The values of the recipe that the arguments change."""
    changes: dict[str, Any] = {}
    if args.preset is not None:
        changes |= {"initial": args.preset, "random_weights": False}
    if args.epochs is not None:
        changes["epochs"] = args.epochs
    if args.size is not None:
        # Crops, and the scale at which pictures are seen, follow the size.
        changes |= {"model.input_size": list(args.size), "augmentation.crop_size": None, "validation_size": None}
        changes["augmentation.base_size"] = None
    if args.classes is not None:
        changes["model.num_classes"] = args.classes
    if args.teacher is not None:
        changes["teacher.preset"] = args.teacher
    if args.class_weights is not None:
        changes["loss.class_weights"] = args.class_weights
    return changes | dict(args.changes)


def _print_recipe(recipe: Recipe) -> None:
    described = {"": recipe.title, "Expected: ": recipe.expected, "Time: ": recipe.time}
    for name, text in described.items():
        if text is not None:
            print(f"{name}{text}", file=sys.stderr)


def _print_result(finished: FinishedRun, settings: RunSettings) -> None:
    output = settings.output
    print(f"\ncurve     {output / CURVE}\nscores    {output / FIGURE}\nexamples  {output / EXAMPLES}")
    print(f"preset    {finished.preset}\n\nnext:")
    for command in next_commands(finished.recipe, settings, finished.preset):
        print(f"  {command}")
