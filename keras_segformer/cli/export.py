"""`keras-segformer export`: files for servers and other stacks."""

from __future__ import annotations

import argparse
from typing import Any

from keras_segformer.conversion import convert, export_onnx, export_savedmodel
from keras_segformer.conversion.serving.server_files import server_files
from keras_segformer.files import write_file
from keras_segformer.segformer import SegFormer


def run(args: argparse.Namespace) -> int:
    """Exports a model and prints what was written.

    Args:
        args: The arguments of the command.

    Returns:
        The exit status, 0.

    Raises:
        FileExistsError: Something exists at that place, and `--overwrite` was not given.
        ValueError: The model cannot be loaded or exported, the output does not suit the format, or a package is
            missing.
    """
    written = [args.output]
    if args.format == "tflite":
        written.append(args.output.with_suffix(".json"))
    for each in written:
        is_occupied = any(each.iterdir()) if each.is_dir() else each.exists()
        if is_occupied and not args.overwrite:
            raise FileExistsError(f"'{each}' exists; add --overwrite, or choose another place")
    if args.format == "savedmodel" and args.output_kind:
        raise ValueError("a SavedModel returns logits, probabilities and labels together; leave --output-kind out")
    if args.server:
        return _export_for_server(args)
    _export(args)
    return 0


def _export_for_server(args: argparse.Namespace) -> int:
    """Exports a model to where a server looks for its first version, and writes the server's configuration."""
    is_onnx, folder = args.format == "onnx", args.output
    if args.format == "tflite":
        raise ValueError("servers take ONNX files and SavedModels; choose --format onnx or savedmodel")
    if args.server == "tf-serving" and is_onnx:
        raise ValueError("TensorFlow Serving runs SavedModels alone; choose --format savedmodel")
    version = folder / "1"
    if is_onnx:
        args.output = version / "model.onnx"
    else:
        args.output = version if args.server == "tf-serving" else version / "model.savedmodel"
    inputs, outputs = _tensors(_export(args), is_onnx)
    for name, content in server_files(args.server, folder.name, is_onnx, inputs, outputs).items():
        write_file(folder / name, content)
        print(folder / name)
    return 0


def _tensors(facts: dict[str, Any], is_onnx: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a model takes and returns by the names of its tensors."""
    if is_onnx:
        return {"images": facts["input"]}, {facts["output"]["kind"]: facts["output"]}
    signature = facts["signatures"]["serving_default"]
    return signature["inputs"], signature["outputs"]


def _export(args: argparse.Namespace) -> dict[str, Any]:
    """Exports a model, prints what was written, and returns the facts about it."""
    model = SegFormer.from_preset(args.preset)
    output = args.output_kind or "logits"
    match args.format:
        case "onnx":
            facts = export_onnx(model, args.output, args.input, output, args.overwrite)
            print(f"{args.output}: {facts['bytes'] / 1e6:.1f} MB, sha256 {facts['sha256']}")
            print(f"opset {facts['opset']}: runs on {facts['minimum_runtime']} and newer")
        case "savedmodel":
            facts = export_savedmodel(model, args.output, args.input, args.overwrite)
            for name, signature in facts["signatures"].items():
                print(f"{args.output}: {name}({', '.join(signature['inputs'])}) → {', '.join(signature['outputs'])}")
        case "tflite":
            size = model.config.input_size
            facts = convert(model, args.output, input_size=size, input=args.input, output=output, report=False)
            print(f"{args.output}: {facts['bytes'] / 1e6:.1f} MB, sha256 {facts['sha256']}")
            print(f"runs on TF Lite {facts['minimum_runtime']} and newer")
    if model.license:
        print(f"licence of the weights: {model.license.terms}")
    return facts
