"""The arguments of `keras-segformer verify`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import (
    add_command,
    add_dataset,
    add_file,
    add_folder,
    add_json,
    add_output_file,
)
from keras_segformer.cli.values import share, text


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "verify",
        help="compare a TF Lite file with the model that it was converted from",
        description="Runs a TF Lite file and its model on the same pictures, and prints at how many positions they "
        "see the same class; with a data set, also the scores of both. The exit status is 1 where the agreement is "
        "less than required, or where the file never sees a class that the model does.",
        examples="""
            keras-segformer verify b0.tflite --against b0_ade20k --images photos/ --figure worst.png
            keras-segformer verify b0.tflite --against b0_camvid --images photos/ --dataset camvid --data CamVid
        """,
    )
    add_file(parser, "file", help="the .tflite file")
    add_folder(
        parser, "--against", metavar="PRESET", type=text, required=True, help="the model, named as --preset elsewhere"
    )
    add_folder(parser, "--images", type=text, required=True, help="pictures: a folder or a glob")
    parser.add_argument(
        "--half", action="store_true", help="compute float operations in float16, as CPUs with such arithmetic may"
    )
    parser.add_argument("--require", metavar="SHARE", type=share, help="the least mean agreement, from 0 to 1")
    add_dataset(parser)
    add_json(parser)
    add_output_file(parser, "--figure", help="draw the worst pictures side by side, as PNG")
