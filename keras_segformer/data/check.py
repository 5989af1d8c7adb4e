"""Looks at every image and mask of a data set before hours are spent on it."""

from __future__ import annotations

import dataclasses
import functools
import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from keras_segformer.data.image_files import encode_image, image_size
from keras_segformer.data.mask_values import IGNORE
from keras_segformer.data.masks import ANY_VALUES, MaskCoding
from keras_segformer.data.pairs import File, Listing, Pair, Problem
from keras_segformer.data.parallel import parallel_map
from keras_segformer.data.sources import CLASSES_FILE, SOURCES, Source
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet

_LISTED = 3


@dataclasses.dataclass(frozen=True)
class Report:
    """What was found in the files of a split.

    Args:
        label_set: The classes.
        pixels: Pixels of the good pairs by class index, `(256,)`, int64; at 255 those of no class.
        images: Good pairs by class index that occurs in them, `(256,)`, int64.
        good: The pairs that can be used.
        problems: Everything that is wrong with the others.
    """

    label_set: LabelSet
    pixels: np.ndarray
    images: np.ndarray
    good: tuple[Pair, ...]
    problems: tuple[Problem, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as a dictionary that `json.dumps` takes."""
        return {
            "good_pairs": len(self.good),
            "ignored_pixels": int(self.pixels[IGNORE]),
            "classes": [
                {"index": index, "name": name, "pixels": int(self.pixels[index]), "images": int(self.images[index])}
                for index, name in enumerate(self.label_set.names)
            ],
            "problems": [dataclasses.asdict(problem) for problem in self.problems],
        }


def check(name: str, data: str | os.PathLike[str], splits: Iterable[str] | None = None) -> dict[str, Report]:
    """Decodes every image and mask of a data set, counts the classes, and names every bad file.

    Args:
        name: `"ade20k"`, `"cityscapes"`, `"camvid"`, `"voc"`, or `"folder"` for one of your own.
        data: The folder or archive that holds it.
        splits: Names of splits; all that are there by default.

    Returns:
        A report for every split.

    Raises:
        FileNotFoundError: There is no such folder or archive.
        InvalidDatasetError: It does not hold the data set or the split, or the values of the masks say nothing about
            their classes.
        ValueError: There is no data set of that name.

    Example:

    ```python
    keras_segformer.data.check("camvid", "CamVid")["train"].problems
    ```
    """
    if name not in SOURCES:
        raise ValueError(f"There is no data set {name!r} to check; choose one of {', '.join(SOURCES)}.")
    return check_source(SOURCES[name], data, splits)


def check_source(
    source: Source, data: str | os.PathLike[str], splits: Iterable[str] | None = None
) -> dict[str, Report]:
    """Checks a data set and shows the progress, as `check` does by the name of a source.

    Args:
        source: What to look for.
        data: As for `check`.
        splits: As for `check`.

    Returns:
        A report for every split.
    """
    listings = source.find(data)
    missing = sorted(set(splits or ()) - listings.keys())
    if missing:
        raise InvalidDatasetError(f"'{data}' has no split {missing[0]!r}; choose one of {', '.join(listings)}.")
    coding = source.coding(data)
    reports = {split: check_pairs(listings[split], coding, f"Checking {split}") for split in splits or listings}
    if coding == ANY_VALUES:
        label_set = _infer_label_set(reports.values())
        reports = {split: dataclasses.replace(report, label_set=label_set) for split, report in reports.items()}
    return reports


def check_pairs(listing: Listing, coding: MaskCoding, description: str = "Checking") -> Report:
    """Decodes every image and mask, in parallel and one after the other in memory, and shows the progress.

    Args:
        listing: The files.
        coding: What the pixels of the masks mean.
        description: What the progress bar says.

    Returns:
        The label histogram of the good pairs; and as problems the files that are left over, cannot be decoded, differ
        in size, hold values that are no class, or no class at all.

    Example:

    ```python
    report = check_pairs(listing, MaskCoding(load_label_set("camvid"), void=frozenset({11})))
    ```
    """
    pixels, images = np.zeros(256, np.int64), np.zeros(256, np.int64)
    good, problems = [], list(listing.problems)
    examined = parallel_map(functools.partial(_examine, coding=coding), listing.pairs)
    console = Console(stderr=True)
    for pair, (counts, found) in zip(
        listing.pairs, track(examined, description, total=len(listing.pairs), console=console), strict=True
    ):
        if found:
            problems.extend(found)
        else:
            good.append(pair)
            pixels += counts
            images += counts > 0
    return Report(coding.label_set, pixels, images, tuple(good), tuple(problems))


def describe_problems(problems: Sequence[Problem | str]) -> str:
    """The number of problems, and the first of them.

    Args:
        problems: At least one.

    Returns:
        A clause.

    Example:

    >>> describe_problems([Problem("masks/a.png", "has no image")])
    '1 problem: masks/a.png has no image'
    """
    listed = "; ".join(map(str, problems[:_LISTED]))
    rest = f"; and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
    return f"{len(problems)} problem{'s' * (len(problems) > 1)}: {listed}{rest}"


def _examine(pair: Pair, coding: MaskCoding) -> tuple[np.ndarray | None, list[Problem]]:
    """Pixels by class index, `(256,)`, or what is wrong."""
    problems = []
    size = mask = None
    try:
        size = image_size(encode_image(_read(pair.image)))
    except InvalidDatasetError as error:
        problems.append(Problem(str(pair.image), str(error)))
    try:
        data = _read(pair.mask)
        mask = coding.read(data)
        image_size(data)  # for its checksums, which Pillow does not look at
    except InvalidDatasetError as error:
        problems.append(Problem(str(pair.mask), str(error)))
    if problems:
        return None, problems
    if mask.shape != size:
        reason = f"differ in size: {size[0]}x{size[1]} and {mask.shape[0]}x{mask.shape[1]} (height x width)"
        return None, [Problem(f"{pair.image} and {pair.mask}", reason)]
    counts = np.bincount(mask.ravel(), minlength=256)
    if not counts[:IGNORE].any():
        return None, [Problem(str(pair.mask), "has no pixel of any class")]
    return counts, []


def _read(file: File) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidDatasetError(f"cannot be read ({getattr(error, 'strerror', error)})") from error


def _infer_label_set(reports: Iterable[Report]) -> LabelSet:
    """Generic classes for the values that the masks hold."""
    present = np.flatnonzero(sum(report.pixels[:IGNORE] for report in reports))
    if len(present) == 0:  # not one good pair; the problems say why
        return LabelSet.generic(2)
    if len(present) == 1 or present[-1] != len(present) - 1:
        raise InvalidDatasetError(
            f"The masks hold the values {', '.join(map(str, present))}, which are not the indices 0, 1, … of several "
            f"classes, beside 255 for ignored pixels; write a {CLASSES_FILE} into the folder with name, names, palette "
            'and raw_to_train, which is {"0": 0, "255": 1} for masks of 0 and 255.'
        )
    return LabelSet.generic(len(present))
