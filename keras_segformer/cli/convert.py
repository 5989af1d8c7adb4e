"""`keras-segformer convert`: TF Lite files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

from rich import box
from rich.console import Console
from rich.table import Table

from keras_segformer.cli.arguments import image_size, positive_integer, share
from keras_segformer.cli.progress import step_bars
from keras_segformer.conversion import convert
from keras_segformer.conversion.choices import AnyPrecision, InputKind, OutputKind, Runtime
from keras_segformer.images import find_images
from keras_segformer.segformer import SegFormer

_MAX_ROWS = 12


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
        "--precision",
        choices=get_args(AnyPrecision),
        default="float32",
        help="how weights are stored and arithmetic is done: float16 for GPUs, int8 for CPUs, int8_npu for NPUs, "
        "dynamic for INT8 without calibration images (default: %(default)s)",
    )
    parser.add_argument(
        "--calibration",
        metavar="DIR",
        help="some dozen pictures that look like what the model is to see: a folder or a glob; INT8 is fitted to them, "
        "and the file compared with the model",
    )
    parser.add_argument(
        "--runtime",
        choices=get_args(Runtime),
        default="litert",
        help="what is to run a file of the precision int8 (default: %(default)s)",
    )
    parser.add_argument("--target", metavar="SHARE", type=share, help="least agreement with the model in labels")
    parser.add_argument(
        "--recipe", metavar="FILE", type=Path, help="quantise as an earlier file of which this is the JSON file"
    )
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
        ValueError: An option is out of range or contradicts another, or the model cannot be converted.
    """
    model = SegFormer.from_preset(args.preset)
    pictures = find_images(args.calibration) if args.calibration else None
    with step_bars() as progress:
        facts = convert(
            model,
            args.output,
            precision=args.precision,
            input_size=args.input_size or model.config.input_size,
            input=args.input,
            output=args.output_kind,
            calibration=pictures,
            preset=args.preset,
            report=not args.no_report,
            tiles=not args.no_tiles,
            recipe=args.recipe,
            runtime=args.runtime,
            target=args.target,
            fine_tune_steps=args.fine_tune,
            progress=progress,
        )
    _print(args, facts)
    if model.license:
        print(f"licence of the weights: {model.license.terms}")
    return 0


def _print(args: argparse.Namespace, facts: dict[str, Any]) -> None:
    if facts["quantization"]:
        _print_quantization(facts["quantization"])
    print(f"{args.output}: {facts['bytes'] / 1e6:.1f} MB, {facts['precision']}")
    print(f"input: {_text(facts['input'])}, RGB in 0..255")
    print(f"output: {facts['output']['kind']}, {_text(facts['output'])}")
    fidelity = facts["fidelity"]
    if fidelity:
        print(
            f"same labels as the model: {fidelity['agreement']:.2%} on {fidelity['images']} images, "
            f"{fidelity['worst_agreement']:.2%} on the worst of them"
        )
        if fidelity["vanished"]:
            print(f"warning: the file never predicts {', '.join(fidelity['vanished'])}, unlike the model")
    others = ["json"] if args.no_report else ["json", "html"]
    files = " and ".join(str(args.output.with_suffix(f".{suffix}")) for suffix in others)
    print(f"runs on TF Lite {facts['minimum_runtime']} and newer; more is in {files}")


def _print_quantization(quantization: dict[str, Any]) -> None:
    modes = quantization["recipe"]["layers"]
    rows = sorted(quantization["sensitivity"], key=lambda row: -row["error"])
    rows = [row for row in rows if row["form"] != "float"]
    if rows:
        table = Table(title="The most sensitive layers, each quantised alone", box=box.SIMPLE_HEAD)
        for header in ("Layer", "Form", "Taken", "Error", "Agreement"):
            table.add_column(header)
        for row in rows[:_MAX_ROWS]:
            taken = modes[row["layer"]]
            table.add_row(row["layer"], row["form"], taken, f"{row['error']:.1e}", f"{row['agreement']:.4f}")
        Console().print(table)
    print(
        f"in integers: {quantization['integer_share_of_layers']:.1%} of the multiplications of layers with weights, "
        f"{quantization['integer_share_with_attention']:.1%} including the matrix products of attention"
    )
    search = quantization["search"]
    if search and search["agreement"] < quantization["target"]:
        print(f"warning: no recipe reaches an agreement of {quantization['target']:.3f}; this is the closest one")


def _text(tensor: dict[str, Any]) -> str:
    return f"{'x'.join(map(str, tensor['shape']))} {tensor['dtype']}"
