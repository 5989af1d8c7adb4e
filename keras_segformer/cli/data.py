"""`keras-segformer data`: imports, checks and shows data sets, and times the input pipeline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from keras_segformer.cli.arguments import image_size, positive_integer
from keras_segformer.cli.data_import import add_classes, add_import
from keras_segformer.cli.outputs import write_json, write_picture
from keras_segformer.data.augmentation import Augmentation
from keras_segformer.data.check import Report, check_source
from keras_segformer.data.examples import IGNORE, Examples
from keras_segformer.data.grid import sample_grid
from keras_segformer.data.loading import NAMES, load
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.data.sources import SOURCES
from keras_segformer.data.speed import pipeline_speed, training_speed
from keras_segformer.models import VARIANTS
from keras_segformer.segformer import SegFormer
from keras_segformer.training.recipe import load_recipe


def add_parser(subparsers: Any) -> None:
    """Adds the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    parser = subparsers.add_parser(
        "data",
        help="import labels, check a data set, show augmented samples, time the input pipeline",
        description="Looks at a data set before hours are spent on it.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_import(actions)
    add_classes(actions)
    _add_check(actions)
    _add_show(actions)
    _add_speed(actions)
    for action in actions.choices.values():
        # Also behind the action, where one would write it; the parser of the command has the default.
        action.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Carries out the action.

    Args:
        args: What the parser of `add_parser` returns.

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
    return args.action(args)


def _add_check(actions: Any) -> None:
    parser = actions.add_parser(
        "check",
        help="decode everything and count the classes",
        description="Decodes every image and mask, counts the pixels of every class and names every bad file.",
    )
    _add_source(parser, tuple(SOURCES), required=True)
    parser.add_argument("--split", help="train, val or test (default: all that are there)")
    parser.add_argument("--skip-bad", action="store_true", help="succeed all the same: bad files will be left out")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write the counts and problems to a file")
    parser.set_defaults(action=_check)


def _add_show(actions: Any) -> None:
    parser = actions.add_parser(
        "show",
        help="draw augmented samples",
        description="Draws samples as a training run sees them, each beside its mask.",
    )
    _add_pipeline(parser)
    parser.add_argument("--output", metavar="PNG", type=Path, required=True, help="picture to write")
    parser.add_argument("--count", type=positive_integer, default=12, help="number of samples (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="number of the run (default: %(default)s)")
    parser.set_defaults(action=_show)


def _add_speed(actions: Any) -> None:
    parser = actions.add_parser(
        "speed",
        help="time the input pipeline against a model",
        description="Compares the images per second that the pipeline delivers with those that a model trains on, each "
        "timed on its own.",
    )
    _add_pipeline(parser)
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--variant", choices=sorted(VARIANTS), default="b0", help="architecture (default: %(default)s)")
    model.add_argument("--preset", help="name, folder, hf://org/repo or kaggle://… of a model instead")
    parser.add_argument("--batch-size", type=positive_integer, default=8, help="images per step (default: %(default)s)")
    parser.add_argument("--batches", type=positive_integer, default=20, help="batches to time (default: %(default)s)")
    parser.set_defaults(action=_speed)


def _add_source(parser: argparse.ArgumentParser, names: tuple[str, ...], required: bool = False) -> None:
    parser.add_argument("name", metavar="NAME", choices=names, help=", ".join(names))
    parser.add_argument("--data", metavar="DIR", type=Path, required=required, help="folder or archive of the data set")


def _add_pipeline(parser: argparse.ArgumentParser) -> None:
    _add_source(parser, NAMES)
    parser.add_argument("--split", default="train", help="such as train, val or train[:90%%] (default: %(default)s)")
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="folder of prepared data sets (default: that of TFDS)"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave bad files out")
    augmentation = parser.add_mutually_exclusive_group()
    augmentation.add_argument(
        "--crop", metavar="SIZE", type=image_size, default=(512, 512), help="crop in pixels (default: 512x512)"
    )
    augmentation.add_argument("--recipe", help="recipe whose augmentation is used instead")


def _check(args: argparse.Namespace) -> int:
    reports = check_source(SOURCES[args.name], args.data, args.split and [args.split])
    for split, report in reports.items():
        _print_report(split, report)
    if args.json:
        write_json(args.json, {split: report.to_dict() for split, report in reports.items()})
    problems = [problem for report in reports.values() for problem in report.problems]
    for problem in problems:
        print(f"{'left out' if args.skip_bad else 'error'}: {problem}", file=sys.stderr)
    return 1 if problems and not args.skip_bad else 0


def _print_report(split: str, report: Report) -> None:
    table = Table("Index", "Class", "Pixels", "Images", title=f"{split}: {len(report.good)} pairs", box=box.SIMPLE)
    for column in table.columns:
        column.justify = "left" if column.header == "Class" else "right"
    total = max(1, report.pixels.sum())
    rows = [(str(index), name, index) for index, name in enumerate(report.label_set.names)]
    for text, name, index in [*rows, ("", "ignored", IGNORE)]:
        table.add_row(text, name, f"{report.pixels[index] / total:.2%}", str(report.images[index]))
    Console().print(table)


def _show(args: argparse.Namespace) -> int:
    write_picture(args.output, sample_grid(_examples(args), _augmentation(args), args.count, args.seed))
    return 0


def _speed(args: argparse.Namespace) -> int:
    examples = _examples(args)
    dataset = training_dataset(examples, _augmentation(args), args.batch_size)
    delivered = pipeline_speed(dataset, args.batches)
    model = _model(args, examples)
    model.compile()
    consumed = training_speed(model, *next(iter(dataset)))
    print(f"pipeline: {delivered:.1f} images/s\ntraining: {consumed:.1f} images/s")
    if delivered < consumed:
        print(f"The pipeline is the bottleneck: the model could train {consumed / delivered:.1f} times as fast.")
    else:
        print(f"The model is the bottleneck: the pipeline delivers {delivered / consumed:.1f} times what it takes.")
    return 0


def _examples(args: argparse.Namespace) -> Examples:
    return load(args.name, args.split, args.data, args.cache, args.skip_bad)


def _augmentation(args: argparse.Namespace) -> Augmentation:
    return load_recipe(args.recipe).build_augmentation() if args.recipe else Augmentation(crop_size=args.crop)


def _model(args: argparse.Namespace, examples: Examples) -> SegFormer:
    num_classes = examples.label_set.num_classes
    if args.preset:
        return SegFormer.from_preset(args.preset, num_classes=num_classes, label_set=examples.label_set)
    return SegFormer(VARIANTS[args.variant].replace(num_classes=num_classes), label_set=examples.label_set)
