"""The arguments of `keras-segformer convert`."""

from __future__ import annotations

from typing import Any, get_args

from keras_segformer.cli.arguments import (
    add_calibration,
    add_command,
    add_file,
    add_output_file,
    add_preset,
)
from keras_segformer.cli.values import image_size, positive_integer, share
from keras_segformer.conversion.choices import AnyPrecision, ClientName, InputKind, OutputKind, Runtime


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = add_command(
        subparsers,
        "convert",
        help="write a model as a TF Lite file",
        description="Writes a TF Lite file that takes pictures as they are, and a JSON file of the same name with the "
        "classes, their colours, and the shapes and types of input and output.",
        examples="""
            keras-segformer convert --preset b0_camvid --output b0.tflite
            keras-segformer convert --preset b0_ade20k --precision float16 --input-size 512 --output b0_float16.tflite
            keras-segformer convert --preset b0_camvid --for mediapipe --output b0_mediapipe.tflite
            keras-segformer convert --preset b0_ade20k --precision int8 --calibration photos/ --output b0_int8.tflite
            keras-segformer convert --preset micro_camvid/preset --for mcu --calibration photos/ --output micro.tflite
        """,
    )
    add_preset(parser)
    add_output_file(parser, "--output", required=True, help="the .tflite file to write")
    parser.add_argument(
        "--for",
        dest="client",
        choices=get_args(ClientName),
        help="what will read the file: options that are not given are chosen to suit it, and an output that it would "
        "misread is refused",
    )
    parser.add_argument(
        "--precision",
        choices=get_args(AnyPrecision),
        help="how weights are stored and arithmetic is done: float16 for GPUs, int8 for CPUs, int8_npu for NPUs, "
        "int8_mcu for microcontrollers, dynamic for INT8 without calibration images (default: float32)",
    )
    add_calibration(parser, "INT8 is fitted to them, and the file compared with the model")
    parser.add_argument(
        "--runtime",
        choices=get_args(Runtime),
        help="the runtime for a file of the precision int8, or ethos-u for one of int8_mcu (default: litert)",
    )
    parser.add_argument("--target", metavar="SHARE", type=share, help="least agreement with the model in labels")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="weigh what layers lose against their time on this machine in the search for an int8 recipe",
    )
    parser.add_argument(
        "--half",
        action="store_true",
        help="let CPUs with float16 arithmetic, as in most phones since 2018, compute in it: tried on the pictures of "
        "--calibration",
    )
    add_file(parser, "--recipe", help="quantise as an earlier file of which this is the JSON file")
    parser.add_argument(
        "--fine-tune",
        metavar="STEPS",
        type=positive_integer,
        default=0,
        help="train the weights for so many pictures to be rounded; for recipes with few bits",
    )
    parser.add_argument("--no-report", action="store_true", help="leave out the page about the file")
    parser.add_argument(
        "--input-size",
        metavar="SIZE",
        type=image_size,
        help="side of the picture in pixels, or HEIGHTxWIDTH (default: what the preset is meant for)",
    )
    parser.add_argument(
        "--batch",
        metavar="N",
        type=positive_integer,
        default=1,
        help="number of pictures that the file takes at once (default: %(default)s)",
    )
    parser.add_argument(
        "--resizable",
        action="store_true",
        help="let the runtime set other sizes than that of --input-size, on CPUs, in float32 or float16",
    )
    parser.add_argument("--input", choices=get_args(InputKind), help="type of the pixels (default: uint8)")
    parser.add_argument(
        "--output-kind",
        choices=get_args(OutputKind),
        help="class indices at a quarter of the size (default) or at full size, or logits or probabilities at a "
        "quarter",
    )
    parser.add_argument(
        "--no-tiles",
        action="store_true",
        help="compute large tensors at once, not in row tiles: more memory, but fewer operations, for accelerators",
    )
    parser.add_argument(
        "--memory",
        action="store_true",
        help="choose the row tiles that need the least memory, for static INT8 as well",
    )
