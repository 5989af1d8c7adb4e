"""The arguments of `keras-segformer export`."""

from __future__ import annotations

from typing import Any, get_args

import shtab

from keras_segformer.cli.arguments import add_command, add_preset
from keras_segformer.cli.values import path
from keras_segformer.conversion.choices import ExportFormat, InputKind, OutputKind, ServerName


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "export",
        help="write a model for servers and other stacks: ONNX, SavedModel",
        description="Writes a model for any batch and image size as an ONNX file or a SavedModel, or for one size as a "
        "TF Lite file, for which `convert` has more options. The normalisation of the pixels is part of every file.",
        examples="""
            keras-segformer export --preset b0_camvid --format onnx --output b0.onnx
            keras-segformer export --preset b0_camvid --format savedmodel --output models/segformer/1
            keras-segformer export --preset b0_camvid --format onnx --server triton --output models/segformer
        """,
    )
    add_preset(parser)
    parser.add_argument("--format", choices=get_args(ExportFormat), required=True, help="what is written")
    parser.add_argument(
        "--output",
        metavar="PATH",
        type=path,
        required=True,
        help="the .onnx or .tflite file to write, or the folder of the SavedModel",
    ).complete = shtab.FILE
    parser.add_argument(
        "--input", choices=get_args(InputKind), default="uint8", help="type of the pixels (default: %(default)s)"
    )
    parser.add_argument(
        "--output-kind",
        choices=get_args(OutputKind),
        help="logits (default), probabilities or class indices at a quarter of the size, or class indices at full "
        "size; a SavedModel returns all of them",
    )
    parser.add_argument(
        "--server",
        choices=get_args(ServerName),
        help="make --output the folder of a model as this server reads it, with the configuration files of the server "
        "beside the folder 1 of the model's first version",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what exists at that place")
