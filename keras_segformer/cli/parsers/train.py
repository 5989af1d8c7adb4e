"""The arguments of `keras-segformer train`."""

from __future__ import annotations

import argparse
from typing import Any

from keras_segformer.cli.arguments import add_command, add_file, add_folder, add_prepared_data
from keras_segformer.json_text import parse_json
from keras_segformer.training.choices import STRATEGIES, recipe_names


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "train",
        help="train from a recipe",
        description="Follows a recipe and writes logs, checkpoints and, at the end, a preset with a model card.",
        notes=f"recipes: {', '.join(recipe_names())}",
        examples="""
            keras-segformer train --recipe b0_camvid --data CamVid --output run
            keras-segformer train --recipe b0_camvid --data CamVid --output run --resume
            keras-segformer train --recipe mine.json --data folder --output run --set steps=2000
        """,
    )
    add_file(parser, "--recipe", metavar="RECIPE", type=str, required=True, help="name of a recipe, or a JSON file")
    add_folder(parser, "--output", metavar="RUN", required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder, if there is one")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        dest="changes",
        type=change,
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
    add_prepared_data(parser)
    parser.add_argument(
        "--deterministic", action="store_true", help="the same bits every time on the same machine, more slowly"
    )


def change(text: str) -> tuple[str, Any]:
    """Reads a change of a recipe.

    Args:
        text: `KEY=VALUE`; a value that is not JSON is a text.

    Returns:
        The key and the value.

    Raises:
        argparse.ArgumentTypeError: There is no key or no equals sign.

    Example:

    >>> change("optimizer.use_ema=true")
    ('optimizer.use_ema', True)
    """
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not a change; write KEY=VALUE, as in steps=2000")
    try:
        return key, parse_json(value)
    except ValueError:
        return key, value
