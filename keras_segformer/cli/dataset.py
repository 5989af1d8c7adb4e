"""The data set that a model is scored on, as command-line arguments."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from keras_segformer.data.examples import Examples
from keras_segformer.data.loading import NAMES, load
from keras_segformer.evaluation import ClassMapping
from keras_segformer.evaluation.class_mapping import class_mapping_names


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that name a data set.

    Args:
        parser: The parser of a command, which has an argument `--limit` of its own.
    """
    parser.add_argument(
        "--dataset", choices=NAMES, default="folder", help="name of the data set (default: a folder of your own)"
    )
    parser.add_argument("--data", metavar="DIR", type=Path, help="folder or archive of the data set")
    parser.add_argument("--split", default="val", help="such as val, train or train[90%%:] (default: %(default)s)")
    parser.add_argument("--cache", metavar="DIR", type=Path, help="where the prepared data set is kept")
    parser.add_argument("--skip-bad", action="store_true", help="leave out broken examples, naming them")
    parser.add_argument(
        "--label-map",
        metavar="MAP",
        type=Path,
        help=f"{', '.join(class_mapping_names())}, or a JSON file whose `map` lists the data set's class for each of "
        "the model",
    )


def load_dataset(args: argparse.Namespace) -> tuple[Examples, ClassMapping | None]:
    """Loads the data set.

    Args:
        args: What a parser with these arguments returns.

    Returns:
        The examples, of which there are `--limit` at most, and the classes of the data set for those of the model.

    Raises:
        FileNotFoundError: There is no such label map or folder.
        InvalidDatasetError: The data set is broken, or has no such split.
        MissingExtraError: tensorflow-datasets is not installed.
    """
    class_mapping = ClassMapping.load(args.label_map) if args.label_map else None
    examples = load(args.dataset, args.split, args.data, args.cache, args.skip_bad)
    if args.limit is not None:
        size = min(args.limit, examples.size)
        examples = dataclasses.replace(examples, encoded=examples.encoded.take(args.limit), size=size)
    return examples, class_mapping
