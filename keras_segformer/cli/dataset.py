"""The data set that a model is scored on."""

from __future__ import annotations

import argparse
import dataclasses

from keras_segformer.cli.arguments import DEFAULT_SPLIT
from keras_segformer.data.examples import Examples
from keras_segformer.data.loading import check_place, load
from keras_segformer.data.sources import PETS
from keras_segformer.evaluation import ClassMapping


def has_dataset(args: argparse.Namespace) -> bool:
    """Returns True if the arguments name a data set.

    Args:
        args: What a parser with the arguments of `add_dataset` returns.
    """
    return bool(args.data) or args.dataset == PETS


def check_dataset(args: argparse.Namespace, *, required: bool = True) -> None:
    """Checks the arguments of a data set without preparing it, which may take hours.

    Args:
        args: What a parser with the arguments of `add_dataset` returns.
        required: Whether the command needs a data set.

    Raises:
        FileNotFoundError: There is no such class mapping or folder.
        InvalidDatasetError: The folder does not hold the data set.
        ValueError: The data set needs a folder, or an argument has no effect because there is no data set.
    """
    if required or has_dataset(args):
        check_place(args.dataset, args.data)
        if args.class_mapping:
            ClassMapping.load(args.class_mapping)
        return
    given = {
        "--split": args.split != DEFAULT_SPLIT,
        "--cache": args.cache,
        "--skip-bad": args.skip_bad,
        "--class-mapping": args.class_mapping,
    }
    unused = [flag for flag, value in given.items() if value]
    if unused:
        raise ValueError(f"{' and '.join(unused)} need a data set; name its folder with --data, or leave them out")


def load_dataset(args: argparse.Namespace) -> tuple[Examples, ClassMapping | None]:
    """Loads the data set.

    Args:
        args: What a parser with the arguments of `add_dataset` returns.

    Returns:
        The examples, of which there are `--limit` at most, and the classes of the data set for those of the model.

    Raises:
        FileNotFoundError: There is no such class mapping or folder.
        InvalidDatasetError: The data set is broken, or has no such split.
        MissingExtraError: tensorflow-datasets is not installed.
    """
    class_mapping = ClassMapping.load(args.class_mapping) if args.class_mapping else None
    examples = load(args.dataset, args.split, args.data, args.cache, args.skip_bad, args.bit_depth)
    if args.limit is not None:
        size = min(args.limit, examples.size)
        examples = dataclasses.replace(examples, encoded=examples.encoded.take(size), size=size)
    return examples, class_mapping
