"""The arguments of `keras-segformer web`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command, add_folder, add_input_side, add_output_folder, add_preset
from keras_segformer.cli.stems import stem
from keras_segformer.cli.values import text, whole_number

PRECISIONS = ("dynamic", "float16", "float32")
"""Those that need no calibration pictures, the smallest file first."""


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "web",
        help="make a page that runs a model in the browser",
        description="Converts a model, and writes a folder with a page that runs it in the browser: upload it to any "
        "static host, or try it with --serve. Pictures never leave the visitor's device. A further model for the same "
        "folder joins those that are there.",
        examples="""
            keras-segformer web --preset b0_ade20k --output site
            keras-segformer web --preset runs/mine --output site --precision float16 --serve
        """,
    )
    add_preset(parser)
    add_output_folder(parser, "--output", required=True, help="the folder for the page")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="dynamic",
        help="dynamic is the smallest and the fastest on CPUs, float16 the closest to the network on GPUs (default: "
        "%(default)s)",
    )
    add_input_side(parser)
    parser.add_argument("--name", type=stem, help="the model's name on the page (default: the preset's)")
    add_folder(parser, "--page", help="the page that `make web` built in a checkout (default: that of the package)")
    parser.add_argument("--serve", action="store_true", help="then serve the folder, until Ctrl+C")
    parser.add_argument(
        "--host", type=text, help="the address to serve at, with --serve (default: 127.0.0.1, this machine)"
    )
    parser.add_argument(
        "--port", type=whole_number(0, 65535), help="with --serve; 0 takes one that is free (default: 8080)"
    )
