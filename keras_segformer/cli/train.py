"""`keras-segformer train`: a training run from a recipe."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from keras_segformer.segformer import SegFormer
from keras_segformer.training.recipe import load_recipe, recipe_names
from keras_segformer.training.run import RunSettings, train
from keras_segformer.training.strategies import STRATEGIES


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "train",
        help="train from a recipe",
        description="Follows a recipe and writes logs, checkpoints and, at the end, a preset with a model card.",
        epilog=f"recipes: {', '.join(recipe_names())}",
    )
    parser.add_argument("--recipe", required=True, help="name of a recipe, or a JSON file")
    parser.add_argument("--data", metavar="DIR", type=Path, help="folder or archive of the data set")
    parser.add_argument("--output", metavar="RUN", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder, if there is one")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        dest="changes",
        type=_change,
        action="append",
        default=[],
        help="change a value of the recipe, in JSON: --set steps=2000 --set optimizer.use_ema=true",
    )
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="none",
        help="mirrored: all GPUs of this machine (TensorFlow); data-parallel: TPUs or several machines (JAX)",
    )
    parser.add_argument("--cache", metavar="DIR", type=Path, help="where the prepared data set is kept")
    parser.add_argument("--skip-bad", action="store_true", help="leave out broken examples, naming them")
    parser.add_argument(
        "--deterministic", action="store_true", help="the same bits every time on the same machine, more slowly"
    )


def run(args: argparse.Namespace) -> int:
    """Trains.

    Args:
        args: What the parser of `add_parser` returns.

    Returns:
        The exit status 0.

    Raises:
        FileExistsError: The folder of the run holds something.
        InvalidRecipeError: There is no such recipe, or a value of it is out of range.
        InvalidDatasetError: The data set is missing or broken.
        MissingExtraError: A package that training needs is not installed.
        PresetNotFoundError: The initial weights cannot be found or downloaded.
    """
    recipe = load_recipe(args.recipe).replace(dict(args.changes))
    settings = RunSettings(
        output=args.output,
        data=args.data,
        cache=args.cache,
        skip_bad=args.skip_bad,
        resume=args.resume,
        strategy=args.strategy,
        deterministic=args.deterministic,
    )
    print(f"{recipe.title}\nExpected: {recipe.expected}\nTime: {recipe.time}", file=sys.stderr)
    print(train(SegFormer, recipe, settings))
    return 0


def _change(text: str) -> tuple[str, Any]:
    """Reads `KEY=VALUE`; a value that is no JSON is a text."""
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is no change; write KEY=VALUE, as in steps=2000")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value
