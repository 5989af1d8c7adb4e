"""The arguments of `keras-segformer predict`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import (
    add_bit_depth,
    add_command,
    add_folder,
    add_output_folder,
    add_preset,
    add_seen_size,
)
from keras_segformer.cli.values import share, text
from keras_segformer.label_sets.display_colors import PALETTES


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "predict",
        help="segment photographs",
        description="Writes, for every image, a picture with the classes found and a legend of their shares.",
        examples="""
            keras-segformer predict photo.jpg --preset b0_camvid --output out
            keras-segformer predict photos/ 'more/*.png' --preset b0_ade20k --output out --json --mask
        """,
    )
    add_folder(
        parser,
        "images",
        metavar="IMAGE|FOLDER|GLOB",
        type=text,
        nargs="+",
        help="image files, folders of them, or patterns like '*.jpg'",
    )
    add_preset(parser)
    add_output_folder(parser, "--output", required=True, help="folder to write to")
    add_seen_size(parser, "aligned")
    add_bit_depth(parser)
    parser.add_argument(
        "--opacity", type=share, default=0.5, help="weight of the colours, from 0 to 1 (default: %(default)s)"
    )
    parser.add_argument(
        "--palette",
        choices=PALETTES,
        default="display",
        help="colours of the picture: those that are easy to tell apart, or those of the data set, which masks always "
        "have (default: %(default)s)",
    )
    parser.add_argument("--overlay", action="store_true", help="write the picture without its legend")
    parser.add_argument("--mask", action="store_true", help="also write the class indices as a PNG with a palette")
    parser.add_argument("--json", action="store_true", help="also write the area of every class")
