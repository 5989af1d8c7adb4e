"""The data set that a model is scored on."""

from __future__ import annotations

import argparse
import dataclasses

from keras_segformer.data.examples import Examples
from keras_segformer.data.loading import load
from keras_segformer.evaluation import ClassMapping


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
        examples = dataclasses.replace(examples, encoded=examples.encoded.take(args.limit), size=size)
    return examples, class_mapping
