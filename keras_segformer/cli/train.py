"""`keras-segformer train`: a training run from a recipe."""

from __future__ import annotations

import argparse
import sys

from keras_segformer.segformer import SegFormer
from keras_segformer.training.recipe import load_recipe
from keras_segformer.training.run import RunSettings, train


def run(args: argparse.Namespace) -> int:
    """Trains.

    Args:
        args: What the parser returns.

    Returns:
        The exit status 0.

    Raises:
        FileExistsError: The folder of the run holds something.
        InvalidRecipeError: There is no such recipe, or a value of it is out of range.
        InvalidDatasetError: The data set is missing or broken.
        MissingExtraError: A package that training needs is not installed.
        PresetNotFoundError: The initial weights cannot be found or downloaded.
    """
    teacher = {} if args.teacher is None else {"teacher.preset": args.teacher}
    recipe = load_recipe(args.recipe).replace({**teacher, **dict(args.changes)})
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
    print(f"{recipe.title}\nExpected: {recipe.expected}\nTime: {recipe.time}", file=sys.stderr)
    print(train(SegFormer, recipe, settings))
    return 0
