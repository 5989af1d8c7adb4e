"""The arguments of `keras-segformer data`."""

from __future__ import annotations

import argparse
from typing import Any

from keras_segformer.cli.arguments import (
    add_bit_depth,
    add_command,
    add_data,
    add_file,
    add_json,
    add_options_to_actions,
    add_output_file,
    add_prepared_data,
    add_preset,
)
from keras_segformer.cli.parsers.data_import import add_classes, add_import
from keras_segformer.cli.values import image_size, positive_integer, seed, text
from keras_segformer.data.sources import NAMES, SOURCES
from keras_segformer.models.variants import VARIANTS


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "data",
        help="import labels, check a data set, show augmented samples, time the input pipeline",
        description="Looks at a data set before hours are spent on it.",
        examples="""
            keras-segformer data import cvat_export.zip --output mine
            keras-segformer data check camvid --data CamVid
            keras-segformer data show camvid --data CamVid --output grid.png
            keras-segformer data speed camvid --data CamVid --recipe b0_camvid
        """,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    add_import(actions)
    add_classes(actions)
    _add_check(actions)
    _add_show(actions)
    _add_speed(actions)
    add_options_to_actions(actions)


def _add_check(actions: Any) -> None:
    parser = add_command(
        actions,
        "check",
        help="decode everything and count the classes",
        description="Decodes every image and mask, counts the pixels of every class and names every bad file.",
        examples="""
            keras-segformer data check camvid --data CamVid
            keras-segformer data check folder --data mine --split train --json counts.json
        """,
    )
    _add_name(parser, tuple(SOURCES))
    add_data(parser, required=True)
    parser.add_argument("--split", type=text, help="train, val or test (default: all that are there)")
    parser.add_argument("--skip-bad", action="store_true", help="succeed all the same: bad files will be left out")
    add_bit_depth(parser)
    add_json(parser, "also write the counts and problems to a file")


def _add_show(actions: Any) -> None:
    parser = add_command(
        actions,
        "show",
        help="draw augmented samples",
        description="Draws samples as a training run sees them, each beside its mask.",
        examples="""
            keras-segformer data show camvid --data CamVid --output grid.png
            keras-segformer data show folder --data mine --crop 512 --count 30 --output grid.png
        """,
    )
    _add_pipeline(parser)
    add_output_file(parser, "--output", metavar="PNG", required=True, help="picture to write")
    parser.add_argument("--count", type=positive_integer, default=12, help="number of samples (default: %(default)s)")
    parser.add_argument("--seed", type=seed, default=0, help="number of the run (default: %(default)s)")


def _add_speed(actions: Any) -> None:
    parser = add_command(
        actions,
        "speed",
        help="time the input pipeline against a model",
        description="Compares the images per second that the pipeline delivers with those that a model trains on, each "
        "timed on its own.",
        examples="""
            keras-segformer data speed camvid --data CamVid --recipe b0_camvid
            keras-segformer data speed folder --data mine --crop 512 --variant b2 --batch-size 4
        """,
    )
    _add_pipeline(parser)
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--variant", choices=sorted(VARIANTS), default="b0", help="architecture (default: %(default)s)")
    add_preset(model, required=False, help="a model instead")
    parser.add_argument("--batch-size", type=positive_integer, default=8, help="images per step (default: %(default)s)")
    parser.add_argument("--batches", type=positive_integer, default=20, help="batches to time (default: %(default)s)")


def _add_name(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    parser.add_argument("name", metavar="NAME", choices=names, help=", ".join(names))


def _add_pipeline(parser: argparse.ArgumentParser) -> None:
    _add_name(parser, NAMES)
    add_prepared_data(parser)
    parser.add_argument(
        "--split", type=text, default="train", help="such as train, val or train[:90%%] (default: %(default)s)"
    )
    augmentation = parser.add_mutually_exclusive_group()
    augmentation.add_argument(
        "--crop", metavar="SIZE", type=image_size, default=(512, 512), help="crop in pixels (default: 512x512)"
    )
    add_file(augmentation, "--recipe", metavar="RECIPE", type=text, help="recipe whose augmentation is used instead")
