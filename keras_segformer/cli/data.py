"""`keras-segformer data`: imports, checks and shows data sets, and times the input pipeline."""

from __future__ import annotations

import argparse
import sys

from keras_segformer.cli.data_import import run_classes, run_import
from keras_segformer.cli.outputs import write_json, write_picture
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.data import CheckReport, check
from keras_segformer.data.augmentation import Augmentation
from keras_segformer.data.examples import Examples
from keras_segformer.data.grid import sample_grid
from keras_segformer.data.loading import load
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.data.speed import pipeline_speed, training_speed
from keras_segformer.mask_rules import IGNORE
from keras_segformer.models import VARIANTS
from keras_segformer.segformer import SegFormer
from keras_segformer.training.recipe import load_recipe


def run(args: argparse.Namespace) -> int:
    """Carries out the action.

    Args:
        args: What the parser returns.

    Returns:
        The exit status: 0, or 1 if a check found problems.

    Raises:
        ConnectionError: The data set cannot be downloaded.
        FileNotFoundError: There is no such folder or archive.
        InvalidDatasetError: It does not hold the data set, or cannot be used.
        InvalidRecipeError: There is no such recipe.
        MissingExtraError: tensorflow-datasets is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: A value is out of range.
    """
    actions = {"import": run_import, "classes": run_classes, "check": _check, "show": _show, "speed": _speed}
    return actions[args.action](args)


def _check(args: argparse.Namespace) -> int:
    reports = check(args.name, args.data, args.split and [args.split], args.bit_depth)
    for split, report in reports.items():
        _print_report(split, report)
    if args.json:
        write_json(args.json, {split: report.to_dict() for split, report in reports.items()})
    for doubt in next(iter(reports.values())).doubts:
        print(f"warning: {doubt}")
    for name in next(iter(reports.values())).left_aside:
        print(f"left aside: {name}")
    problems = [problem for report in reports.values() for problem in report.problems]
    for problem in problems:
        print(f"{'left out' if args.skip_bad else 'error'}: {problem}", file=sys.stderr)
    empty = [split for split, report in reports.items() if not report.good]
    for split in empty if args.skip_bad else ():  # else the problems say why
        print(f"error: split {split} has no pair of image and mask to use; add some", file=sys.stderr)
    return 1 if empty or (problems and not args.skip_bad) else 0


def _print_report(split: str, report: CheckReport) -> None:
    table = make_table(
        "Index", "Class", "Pixels", "Images", text=("Class",), title=f"{split}: {len(report.good)} pairs"
    )
    total = max(1, report.pixels.sum())
    rows = [(str(index), name, index) for index, name in enumerate(report.label_set.names)]
    for text, name, index in [*rows, ("", "ignored", IGNORE)]:
        table.add_row(text, name, f"{report.pixels[index] / total:.2%}", str(report.images[index]))
    make_console().print(table)
    for assumption in report.assumptions:
        print(f"assumed: {assumption}")


def _show(args: argparse.Namespace) -> int:
    augmentation = _augmentation(args)  # whose recipe is read at once, while the data set may take hours
    write_picture(args.output, sample_grid(_examples(args), augmentation, args.count, args.seed))
    return 0


def _speed(args: argparse.Namespace) -> int:
    augmentation = _augmentation(args)
    examples = _examples(args)
    model = _model(args, examples)
    model.compile()
    dataset = training_dataset(examples, augmentation, args.batch_size)
    delivered = pipeline_speed(dataset, args.batches)
    consumed = training_speed(model, *next(iter(dataset)))
    print(f"pipeline: {delivered:.1f} images/s\ntraining: {consumed:.1f} images/s")
    if delivered < consumed:
        print(f"The pipeline is the bottleneck: the model could train {consumed / delivered:.1f} times as fast.")
    else:
        print(f"The model is the bottleneck: the pipeline delivers {delivered / consumed:.1f} times what it takes.")
    return 0


def _examples(args: argparse.Namespace) -> Examples:
    return load(args.name, args.split, args.data, args.cache, args.skip_bad, args.bit_depth)


def _augmentation(args: argparse.Namespace) -> Augmentation:
    return load_recipe(args.recipe).build_augmentation() if args.recipe else Augmentation(crop_size=args.crop)


def _model(args: argparse.Namespace, examples: Examples) -> SegFormer:
    num_classes = examples.label_set.num_classes
    if args.preset:
        return SegFormer.from_preset(args.preset, num_classes=num_classes, label_set=examples.label_set)
    return SegFormer(VARIANTS[args.variant].replace(num_classes=num_classes), label_set=examples.label_set)
