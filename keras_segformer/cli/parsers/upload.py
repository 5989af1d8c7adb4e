"""The arguments of `keras-segformer upload`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import add_command, add_folder


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "upload",
        help="put a preset on the Hugging Face hub or on Kaggle",
        description="Loads a preset folder to be sure that it is whole, and uploads it with its model card. Log in "
        "first with `hf auth login`, or set HF_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY.",
        examples="""
            keras-segformer upload run/preset hf://me/streets
            keras-segformer upload run/preset kaggle://me/segformer/keras/streets
        """,
    )
    add_folder(parser, "preset", metavar="PRESET", help="the folder")
    parser.add_argument("uri", metavar="ADDRESS", help="hf://org/repo, or kaggle://owner/model/framework/variation")
    parser.add_argument("--public", action="store_true", help="make a new repository of the Hugging Face hub public")
