"""The arguments of `keras-segformer train`."""

from __future__ import annotations

import argparse
from typing import Any

from keras_segformer.cli.arguments import add_command, add_file, add_folder, add_prepared_data, add_preset
from keras_segformer.cli.values import class_weights, image_size, positive_integer
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
        help="train on a folder of your own, or from a recipe",
        description="Trains on pictures and masks in a folder, or follows a recipe. Writes logs, checkpoints and, at "
        "the end, scores, pictures and a preset with a model card.",
        notes=f"recipes: {', '.join(recipe_names())}",
        examples="""
            keras-segformer train --data mine --output run
            keras-segformer train --data mine --output run --preset b0_ade20k --epochs 50 --size 512
            keras-segformer train --data mine --output run --classes 1 --class-weights auto
            keras-segformer train --recipe b0_camvid --data CamVid --output run
            keras-segformer train --recipe b0_camvid --data CamVid --output run --resume
            keras-segformer train --recipe b0_camvid --data CamVid --output run --teacher fine_tuned/preset
            keras-segformer train --recipe mine.json --data mine --output run --set optimizer.use_ema=false
        """,
    )
    add_file(
        parser,
        "--recipe",
        metavar="RECIPE",
        type=str,
        default="folder",
        help="name of a recipe, or a JSON file (default: folder, whose values follow the data)",
    )
    add_preset(parser, required=False, help="the model to start from")
    parser.add_argument("--epochs", metavar="N", type=positive_integer, help="epochs (30 for a folder)")
    parser.add_argument(
        "--size",
        type=image_size,
        help="size of the crops, 512 or HEIGHTxWIDTH; the short side of pictures is brought to its smaller number "
        "(default for a folder: that of most pictures, at most 512)",
    )
    parser.add_argument(
        "--classes",
        metavar="N",
        type=positive_integer,
        help="channels of the logits; 1 for two classes with a single logit (default: the classes of the data)",
    )
    parser.add_argument(
        "--class-weights",
        metavar="auto|W,W,...",
        type=class_weights,
        help="weight of each class in the loss; auto: rare classes count more",
    )
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
        "--teacher",
        metavar="PRESET",
        help="also learn from the logits of this model; its other values are `--set teacher.KEY=VALUE` with KEY "
        "kind (pixel or channel), temperature, weight or class_mapping",
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
