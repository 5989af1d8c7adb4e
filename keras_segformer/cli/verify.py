"""`keras-segformer verify`: compare a TF Lite file with the model that it was converted from."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from keras_segformer.cli.arguments import positive_integer, share
from keras_segformer.cli.dataset import add_dataset_arguments, load_dataset
from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import progress_bar, step_bars
from keras_segformer.conversion.report.verification import Verification, draw_worst, verify_content
from keras_segformer.evaluation import Evaluation, TFLiteModel, evaluate
from keras_segformer.files import atomic_file
from keras_segformer.images import find_images, load_image
from keras_segformer.models import SegFormerNetwork
from keras_segformer.segformer import SegFormer


def add_parser(subparsers: Any) -> None:
    """Add the command to the program's parser.

    Args:
        subparsers: The result of `argparse.ArgumentParser.add_subparsers`.
    """
    parser = subparsers.add_parser(
        "verify",
        help="compare a TF Lite file with the model that it was converted from",
        description="Runs a TF Lite file and its model on the same pictures, and prints the share of positions at "
        "which they predict the same class; with a data set, also the scores of both. The exit status is 1 if the "
        "agreement is less than required, or if the file never predicts a class that the model does.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the .tflite file")
    parser.add_argument("--against", metavar="PRESET", required=True, help="name or folder of the model")
    parser.add_argument("--images", metavar="DIR", required=True, help="pictures: a folder or a glob")
    parser.add_argument(
        "--limit", metavar="N", type=positive_integer, help="only the first N pictures, of a data set too"
    )
    parser.add_argument("--require", metavar="SHARE", type=share, help="the least mean agreement, from 0 to 1")
    add_dataset_arguments(parser)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything that was measured")
    parser.add_argument("--figure", metavar="FILE", type=Path, help="draw the worst pictures side by side, as PNG")


def run(args: argparse.Namespace) -> int:
    """Compare a file with its model.

    Args:
        args: The arguments that `add_parser` declares.

    Returns:
        0, or 1 if the agreement is less than required or a class has vanished.

    Raises:
        FileNotFoundError: There is no such file or picture.
        InvalidDatasetError: The data set is broken, or has no such split.
        InvalidPresetError: The preset's files are broken.
        PresetNotFoundError: There is no such preset.
        ValueError: The file is damaged, kills the process that runs it, or does not fit the model.
    """
    file = TFLiteModel(args.file)
    paths = find_images(args.images)[: args.limit]
    model = SegFormer.from_preset(args.against)
    with step_bars() as progress:
        images = ((path.name, load_image(path)) for path in paths)
        found = verify_content(file.content, model, images, progress)
    scores = _scores(args, file, model) if args.data else None
    if args.figure:
        with atomic_file(args.figure) as temporary:
            draw_worst(found, model.label_set).save(temporary, format="PNG")
    if args.json:
        write_json(args.json, {"file": str(args.file), "against": args.against} | found.to_dict() | _summary(scores))
    _print(found, scores)
    failed = args.require is not None and found.agreement < args.require
    if failed:
        print(f"the agreement is below the required {args.require:.2%}")
    return 1 if failed or found.vanished else 0


def _scores(args: argparse.Namespace, file: TFLiteModel, model: SegFormerNetwork) -> tuple[Evaluation, Evaluation]:
    """The scores of the model at the size of the file's input, and those of the file."""
    examples, mapping = load_dataset(args)
    with progress_bar() as progress:
        track = functools.partial(progress.track, total=examples.size, description="Scoring")
        before = evaluate(model, examples, size=file.input_size, class_mapping=mapping, progress=track)
        return before, evaluate(file, examples, class_mapping=mapping, progress=track)


def _summary(scores: tuple[Evaluation, Evaluation] | None) -> dict[str, Any]:
    if scores is None:
        return {}
    return dict(zip(("model_scores", "file_scores"), (each.to_dict() for each in scores), strict=True))


def _print(found: Verification, scores: tuple[Evaluation, Evaluation] | None) -> None:
    console = Console(highlight=False)
    if scores:
        console.print(_score_table(*scores))
        before, after = (each.scores.mean_iou for each in scores)
        console.print(f"mean IoU: {before:.4f} of the model, {after:.4f} of the file ({after - before:+.4f})")
    else:
        console.print(_class_table(found))
    console.print(
        f"the same label at {found.agreement:.2%} of the positions on {len(found.agreements)} pictures, at "
        f"{found.worst_agreement:.2%} on the worst ({found.worst[0].name})",
        soft_wrap=True,
    )
    for name in found.vanished:
        console.print(f"warning: the file never predicts the class {name}, which the model does", markup=False)


def _class_table(found: Verification) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Class")
    for header in ("Share before", "Share after", "IoU between both"):
        table.add_column(header, justify="right")
    for each in found.classes():
        table.add_row(each["name"], f"{each['share_before']:.2%}", f"{each['share_after']:.2%}", f"{each['iou']:.3f}")
    return table


def _score_table(before: Evaluation, after: Evaluation) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Class")
    for header in ("IoU of the model", "IoU of the file", "Change"):
        table.add_column(header, justify="right")
    for name, old, new in zip(before.label_set.names, before.scores.iou, after.scores.iou, strict=True):
        if not np.isnan(old):
            table.add_row(name, f"{old:.3f}", f"{new:.3f}", f"{new - old:+.3f}")
    return table
