"""The arguments of `keras-segformer evaluate`."""

from __future__ import annotations

from typing import Any

from keras_segformer.cli.arguments import (
    add_command,
    add_dataset,
    add_file,
    add_json,
    add_output_file,
    add_preset,
    add_seen_size,
)
from keras_segformer.evaluation.choices import MODES


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
    model = parser.add_mutually_exclusive_group(required=True)
    add_preset(model, required=False)
    add_file(model, "--model", help="a TF Lite file, seen at the size of its input")
    add_dataset(parser)
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="whole",
        help="whole pictures (default), sliding windows of 1024x1024 with stride 768, or six scales and mirror images",
    )
    add_seen_size(parser)
    parser.add_argument("--flip", action="store_true", help="average in the probabilities of the mirrored picture")
    parser.add_argument("--boundary", action="store_true", help="also measure boundary IoU")
    add_json(parser)
    add_output_file(parser, "--figure", help="draw classes, confusions and the worst pictures")
