"""`keras-segformer convert`: TF Lite files."""

from __future__ import annotations

import argparse
from typing import Any

from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.conversion import convert, options_for
from keras_segformer.images import find_images
from keras_segformer.segformer import SegFormer

_MAX_ROWS = 12


def run(args: argparse.Namespace) -> int:
    """Converts a model and prints what was written.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        PresetNotFoundError: There is no such preset.
        InvalidPresetError: The preset's files are broken.
        ValueError: An option is out of range or contradicts another, or the model cannot be converted.
    """
    pictures = find_images(args.calibration) if args.calibration else None
    model = SegFormer.from_preset(args.preset)
    with step_bars() as progress:
        facts = convert(
            model,
            args.output,
            **chosen_settings(args),
            input_size=args.input_size or model.config.input_size,
            batch_size=args.batch,
            save_memory=args.memory,
            resizable=args.resizable,
            calibration=pictures,
            preset=args.preset,
            bit_depth=args.bit_depth,
            report=not args.no_report,
            recipe=args.recipe,
            target=args.target,
            fine_tune_steps=args.fine_tune,
            measure_times=args.measure,
            half=args.half,
            progress=progress,
        )
    _print(args, facts)
    if model.license:
        print(f"licence of the weights: {model.license.terms}")
    return 0


def chosen_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Chooses the arguments of `convert` that suit the client of `--for`, unless an option says otherwise.

    Args:
        args: What the parser returns.

    Returns:
        Keyword arguments; what neither the client nor an option decides is left out.

    Raises:
        ValueError: No file suits the client.
    """
    given = {
        "precision": args.precision,
        "input": args.input,
        "output": args.output_kind,
        "tiles": False if args.no_tiles else None,
        "runtime": args.runtime,
    }
    suitable = options_for(args.client) if args.client else {}
    return suitable | {name: value for name, value in given.items() if value is not None}


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
        if "half" in facts:
            half = facts["half"]
            print(f"in float16: {half['agreement']:.2%}, {half['worst_agreement']:.2%} on the worst of them")
        _warn_below_target(fidelity["agreement"], facts["quantization"] or {})
    others = ["json"] if args.no_report else ["json", "html"]
    files = " and ".join(str(args.output.with_suffix(f".{suffix}")) for suffix in others)
    print(f"runs on TF Lite {facts['minimum_runtime']} and newer; more is in {files}")


def _print_quantization(quantization: dict[str, Any]) -> None:
    modes = quantization["recipe"]["layers"]
    rows = sorted(quantization["sensitivity"], key=lambda row: -row["divergence"])
    rows = [row for row in rows if row["form"] != "float"]
    if rows:
        headers = ("Layer", "Form", "Taken", "Divergence", "Agreement")
        table = make_table(*headers, text=("Form", "Taken"), title="The most sensitive layers, each quantised alone")
        for row in rows[:_MAX_ROWS]:
            taken = modes[row["layer"]]
            table.add_row(row["layer"], row["form"], taken, f"{row['divergence']:.1e}", f"{row['agreement']:.4f}")
        make_console().print(table)
    print(
        f"in integers: {quantization['integer_share_of_layers']:.1%} of the multiplications of layers with weights, "
        f"{quantization['integer_share_with_attention']:.1%} including the matrix products of attention"
    )
    search = quantization["search"]
    if search and search["agreement"] < quantization["target"]:
        print(f"warning: no recipe reaches an agreement of {quantization['target']:.3f}; this is the closest one")


def _warn_below_target(agreement: float, quantization: dict[str, Any]) -> None:
    """Says where the file misses what its recipe reached in the search, which sees smaller pictures."""
    search = quantization.get("search")
    if search and agreement < quantization["target"] <= search["agreement"]:
        target = f"{quantization['target']:.2%}"
        print(
            f"warning: that is less than the {target} which the recipe reached on smaller pictures; give more pictures "
            "to calibrate with, or a higher --target"
        )


def _text(tensor: dict[str, Any]) -> str:
    return f"{'x'.join(map(str, tensor['shape']))} {tensor['dtype']}"
