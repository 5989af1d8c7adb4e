"""The arguments of `keras-segformer android`."""

from __future__ import annotations

import argparse
from typing import Any

from keras_segformer.cli.arguments import add_calibration, add_command, add_input_side, add_output_folder, add_preset
from keras_segformer.cli.stems import stem

PROCESSORS = ("gpu", "cpu", "nnapi")


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "android",
        help="put a model into the Android app",
        description="Converts a model for every processor of a phone (float16 for its GPU, INT8 for its CPU, full INT8 "
        "for NNAPI) and places the files where the Android app of this checkout takes its models from.",
        examples="""
            keras-segformer android --preset b0_ade20k --calibration photos/ --install
            keras-segformer android --preset b0_ade20k --processors gpu --size 256 --output models
        """,
    )
    add_preset(parser)
    add_input_side(parser)
    add_calibration(parser, "the files in INT8 are fitted to them")
    parser.add_argument(
        "--processors",
        metavar="NAMES",
        type=processors,
        default=PROCESSORS,
        help="for which processors, with commas between them: gpu, cpu, nnapi (default: all); gpu needs no pictures",
    )
    parser.add_argument("--name", type=stem, help="how the app's files are called (default: the preset's name)")
    add_output_folder(parser, "--output", help="the folder for the files (default: the assets of the app)")
    parser.add_argument(
        "--install", action="store_true", help="then build the app and install it on the phone that adb is connected to"
    )


def processors(text: str) -> tuple[str, ...]:
    """Reads names of processors.

    Args:
        text: The names, with commas between them.

    Returns:
        Each name once.

    Raises:
        argparse.ArgumentTypeError: There is no such processor.

    Example:

    >>> processors("cpu,gpu,cpu")
    ('cpu', 'gpu')
    """
    names = tuple(dict.fromkeys(text.split(",")))
    unknown = [name for name in names if name not in PROCESSORS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no processor {unknown[0]!r}; choose from {', '.join(PROCESSORS)}")
    return names
