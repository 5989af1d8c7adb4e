"""The arguments of `keras-segformer presets`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    add_command(
        subparsers,
        "presets",
        help="list the presets that have a name",
        description="Lists the catalogue. MACs and scores are the paper's: mIoU at a single scale, or top-1 accuracy.",
        examples="""
            keras-segformer presets
            keras-segformer presets | grep cityscapes
        """,
    )
