"""The arguments of `keras-segformer benchmark`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command, add_file, add_json
from keras_segformer.cli.values import positive_integer, text


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "benchmark",
        help="measure time and memory of TF Lite files",
        description="Runs TF Lite files in turn with LiteRT on this machine's CPU, and each in a process of its own "
        "for its memory.",
        examples="""
            keras-segformer benchmark b0_float32.tflite b0_int8.tflite
            keras-segformer benchmark b0.tflite --threads 1 --profile --smallest-memory --json figures.json
        """,
    )
    add_file(parser, "files", type=text, nargs="+", help=".tflite files; the first is compared with")
    parser.add_argument(
        "--threads",
        type=positive_integer,
        nargs="+",
        default=[1, 2, 4],
        metavar="N",
        help="numbers of threads (default: 1 2 4)",
    )
    parser.add_argument(
        "--rounds", type=positive_integer, default=30, help="how often every file runs (default: %(default)s)"
    )
    parser.add_argument("--profile", action="store_true", help="also print the time of every kind of kernel")
    parser.add_argument(
        "--smallest-memory", action="store_true", help="also find the smallest address space that each runs in"
    )
    add_json(parser)
