"""The arguments of `keras-segformer evaluate`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import (
    add_command,
    add_dataset,
    add_json,
    add_mode,
    add_output_file,
    add_preset_or_file,
    add_seen_size,
)


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "evaluate",
        help="measure a model on a data set",
        description="Compares label maps with the truth at the pictures' own size, and prints mean IoU, pixel "
        "accuracy and the scores of every class.",
        examples="""
            keras-segformer evaluate --preset b0_camvid --dataset camvid --data CamVid --figure scores.png
            keras-segformer evaluate --preset b0_cityscapes --dataset cityscapes --data Cityscapes --mode slide
            keras-segformer evaluate --model b0.tflite --data my_folder --json scores.json
        """,
    )
    add_preset_or_file(parser)
    add_dataset(parser)
    add_mode(parser)
    add_seen_size(parser)
    parser.add_argument("--flip", action="store_true", help="average in the probabilities of the mirrored picture")
    parser.add_argument("--boundary", action="store_true", help="also measure boundary IoU")
    add_json(parser)
    add_output_file(parser, "--figure", help="draw classes, confusions and the worst pictures")
