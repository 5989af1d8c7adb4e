"""`keras-segformer convert`: TF Lite files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

from keras_segformer.cli.arguments import image_size
from keras_segformer.conversion import convert
from keras_segformer.conversion.export import PRECISIONS
from keras_segformer.conversion.inference_graph import InputKind, OutputKind
from keras_segformer.segformer import SegFormer


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "convert",
        help="write a model as a TF Lite file",
        description="Writes a TF Lite file that takes pictures as they are, and a JSON file of the same name with the "
        "classes, their colours, and the shapes and types of input and output.",
    )
    parser.add_argument("--preset", required=True, help="name, folder, hf://org/repo or kaggle://… of the model")
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="the .tflite file to write")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="how weights are stored (default: %(default)s)"
    )
    parser.add_argument(
        "--input-size",
        metavar="SIZE",
        type=image_size,
        help="side of the picture in pixels, or HEIGHTxWIDTH (default: what the preset is meant for)",
    )
    parser.add_argument(
        "--input", choices=get_args(InputKind), default="uint8", help="type of the pixels (default: %(default)s)"
    )
    parser.add_argument(
        "--output-kind",
        choices=get_args(OutputKind),
        default="labels",
        help="class indices at a quarter of the size (default) or at full size, or logits at a quarter",
    )
    parser.add_argument(
        "--no-tiles",
        action="store_true",
        help="compute large tensors at once: more memory, but fewer operations, for accelerators",
    )


def run(args: argparse.Namespace) -> int:
    """Converts a model and prints what was written.

    Args:
        args: What the parser of `add_parser` returns.

    Returns:
        0.

    Raises:
        PresetNotFoundError: There is no such preset.
        InvalidPresetError: The preset's files are broken.
        ValueError: The file's name or the size does not fit, or the model cannot be converted.
    """
    model = SegFormer.from_preset(args.preset)
    facts = convert(
        model,
        args.output,
        precision=args.precision,
        input_size=args.input_size or model.config.input_size,
        input=args.input,
        output=args.output_kind,
        tiles=not args.no_tiles,
    )
    print(f"{args.output}: {facts['bytes'] / 1e6:.1f} MB, {facts['precision']}")
    print(f"input: {_text(facts['input'])}, RGB on the scale 0..255")
    print(f"output: {facts['output']['kind']}, {_text(facts['output'])}")
    print(f"runs on TF Lite {facts['minimum_runtime']} and newer; the rest is in {args.output.with_suffix('.json')}")
    if model.license:
        print(f"licence of the weights: {model.license.terms}")
    return 0


def _text(tensor: dict[str, Any]) -> str:
    return f"{'x'.join(map(str, tensor['shape']))} {tensor['dtype']}"
