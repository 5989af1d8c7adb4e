"""`keras-segformer verify`: compare a TF Lite file with the model that it was converted from."""

from __future__ import annotations

import argparse
import functools
from typing import Any

import numpy as np
from rich.table import Table

from keras_segformer.cli.dataset import check_dataset, has_dataset, load_dataset
from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import progress_bar, step_bars
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.conversion import Verification, verify
from keras_segformer.conversion.report.verification import draw_worst
from keras_segformer.evaluation import Evaluation, TFLiteModel, evaluate
from keras_segformer.files import atomic_file
from keras_segformer.images import find_images
from keras_segformer.models import SegFormerNetwork
from keras_segformer.segformer import SegFormer


def run(args: argparse.Namespace) -> int:
    """Compare a file with its model.

    Args:
        args: What the parser returns.

    Returns:
        0, or 1 if the agreement is less than required or a class has vanished.

    Raises:
        FileNotFoundError: There is no such file or picture.
        InvalidDatasetError: The data set is broken, or has no such split.
        InvalidPresetError: The preset's files are broken.
        PresetNotFoundError: There is no such preset.
        ValueError: The file is damaged, kills the process that runs it, or does not fit the model.
    """
    paths = find_images(args.images)[: args.limit]
    check_dataset(args, required=False)
    if args.half and has_dataset(args):
        raise ValueError("--half compares labels, and data sets are scored in float32; leave one of them out")
    model = SegFormer.from_preset(args.against)
    file = TFLiteModel(args.file) if has_dataset(args) else None  # which takes one picture at a time
    with step_bars() as progress:
        found = verify(args.file, model, paths, progress, args.bit_depth, half=args.half)
    scores = file and _scores(args, file, model)
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
    console = make_console(highlight=False)
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
    table = make_table("Class", "Share before", "Share after", "IoU between both")
    for each in found.classes():
        table.add_row(each["name"], f"{each['share_before']:.2%}", f"{each['share_after']:.2%}", f"{each['iou']:.3f}")
    return table


def _score_table(before: Evaluation, after: Evaluation) -> Table:
    table = make_table("Class", "IoU of the model", "IoU of the file", "Change")
    for name, old, new in zip(before.label_set.names, before.scores.iou, after.scores.iou, strict=True):
        if not np.isnan(old):
            table.add_row(name, f"{old:.3f}", f"{new:.3f}", f"{new - old:+.3f}")
    return table
