"""The arguments of `keras-segformer info`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command
from keras_segformer.cli.values import image_size, text


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "info",
        help="show parameters and arithmetic of an architecture or a preset",
        description="Shows parameters and multiply-accumulates per module, beside what the paper prints.",
        examples="""
            keras-segformer info b0 --size 512
            keras-segformer info b5_cityscapes
            keras-segformer info --table 1d
        """,
    )
    subject = parser.add_mutually_exclusive_group(required=True)
    subject.add_argument(
        "subject",
        nargs="?",
        type=text,
        metavar="NAME",
        help="an architecture (b0 to b5, pvt_v2_b0 to pvt_v2_b5), a preset, a preset folder, or hf://org/repo",
    )
    subject.add_argument(
        "--table",
        choices=("1a", "1b", "1d"),
        help="the networks of an ablation of the paper instead: model sizes, widths of the decoder, or encoders",
    )
    parser.add_argument(
        "--size",
        metavar="SIZE",
        type=image_size,
        help="side of the image, or HEIGHTxWIDTH (default: what the architecture or preset is meant for)",
    )
