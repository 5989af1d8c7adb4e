"""`keras-segformer evaluate`: scores of a model on a data set."""

from __future__ import annotations

import argparse
import functools
from typing import Any

import numpy as np
from rich.table import Table

from keras_segformer.cli.dataset import check_dataset, load_dataset
from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import progress_bar
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.evaluation import Evaluation, TFLiteModel, evaluate
from keras_segformer.evaluation.figure import draw_evaluation
from keras_segformer.figures import check_figure_path
from keras_segformer.files import atomic_file
from keras_segformer.segformer import SegFormer

_NAMED = 5


def run(args: argparse.Namespace) -> int:
    """Evaluates a model.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        FileNotFoundError: There is no such model, class mapping or folder of data.
        InvalidDatasetError: The data set is broken, or has no such split.
        InvalidPresetError: The preset's files are broken.
        MissingExtraError: tensorflow-datasets, or matplotlib for a figure, is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: The model does not fit the data set or the options.
    """
    if args.figure:
        check_figure_path(args.figure)
    check_dataset(args)
    # Before the data set, whose preparation may take hours.
    model = TFLiteModel(args.model) if args.model else SegFormer.from_preset(args.preset)
    examples, class_mapping = load_dataset(args)
    with progress_bar() as progress:
        evaluation = evaluate(
            model,
            examples,
            mode=args.mode,
            size=args.size,
            flip=args.flip,
            class_mapping=class_mapping,
            boundary=args.boundary,
            antialias=args.antialias,
            progress=functools.partial(progress.track, total=examples.size, description="Evaluating"),
        )
    if args.json:
        write_json(args.json, _what_was_asked(args) | evaluation.to_dict())
    if args.figure:
        with atomic_file(args.figure) as temporary:
            draw_evaluation(evaluation).savefig(temporary)
    print_evaluation(evaluation)
    return 0


def _what_was_asked(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "model": str(args.model or args.preset),
        "dataset": args.dataset,
        "data": args.data and str(args.data),
        "split": args.split,
        "class_mapping": args.class_mapping and str(args.class_mapping),
    }


def print_evaluation(evaluation: Evaluation) -> None:
    """Prints the scores as tables, and how the pictures were shown to the model.

    Args:
        evaluation: What `keras_segformer.evaluation.evaluate` returned.
    """
    console = make_console()
    console.print(_class_table(evaluation))
    scores = evaluation.scores
    summary = {
        "mean IoU": scores.mean_iou,
        "mean accuracy": scores.mean_accuracy,
        "pixel accuracy": scores.pixel_accuracy,
        "frequency-weighted IoU": scores.frequency_weighted_iou,
    }
    if evaluation.mean_boundary_iou is not None:
        summary["mean boundary IoU"] = evaluation.mean_boundary_iou
    for name, value in summary.items():
        console.print(f"{name:24}{_percent(value):>8}", highlight=False)
    if evaluation.unlabelled:
        named = ", ".join(evaluation.unlabelled[:_NAMED]) + (", …" if len(evaluation.unlabelled) > _NAMED else "")
        print(f"pictures without a labelled pixel, which do not count ({len(evaluation.unlabelled)}): {named}")
    count, seconds = len(evaluation.images), evaluation.seconds
    console.print(f"{count} pictures in {seconds:.0f} s, {seconds / count:.2f} s each", highlight=False)
    console.print(f"seen by the model with {_described(evaluation.settings)}", highlight=False)


def _described(settings: dict[str, Any]) -> str:
    """The settings of an evaluation, on which its scores depend."""
    texts = {name: "x".join(map(str, value)) if isinstance(value, list) else value for name, value in settings.items()}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in texts.items() if value is not False)


def _class_table(evaluation: Evaluation) -> Table:
    scores = evaluation.scores
    columns = {"IoU": scores.iou, "Accuracy": scores.accuracy}
    if evaluation.boundary_iou is not None:
        columns["Boundary IoU"] = evaluation.boundary_iou
    pixels = evaluation.confusion.counts.sum(axis=1)
    columns["Pixels"] = pixels / max(1, pixels.sum())
    table = make_table("Class", *columns)
    for index, name in enumerate(evaluation.label_set.names):
        table.add_row(name, *(_percent(values[index]) for values in columns.values()))
    return table


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2%}"
