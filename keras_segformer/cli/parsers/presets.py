"""The arguments of `keras-segformer presets`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command
from keras_segformer.cli.values import text


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "presets",
        help="list the presets that have a name",
        description="Lists the catalogue. MACs and scores are the paper's: mIoU at a single scale, or top-1 accuracy.",
        examples="""
            keras-segformer presets
            keras-segformer presets | grep cityscapes
            keras-segformer presets --digests b0_ade20k hf://org/repo
        """,
    )
    tasks = parser.add_mutually_exclusive_group()
    tasks.add_argument(
        "--digests",
        nargs="+",
        type=text,
        metavar="PRESET",
        help="download presets and print their sources, with the revision, and the SHA-256 of their files as JSON, as "
        "the catalogue has them",
    )
    tasks.add_argument(
        "--trust",
        nargs="+",
        type=text,
        metavar="PRESET",
        help="forget the SHA-256 of earlier downloads of presets that their publishers have changed, so that the next "
        "download is trusted",
    )
