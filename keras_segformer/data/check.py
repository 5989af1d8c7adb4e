"""Checks every image and mask of a data set before hours are spent on training."""

from __future__ import annotations

import dataclasses
import functools
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from keras_segformer.data.file_budgets import read_picture_bytes
from keras_segformer.data.image_files import encode_image, image_size
from keras_segformer.data.mask_pixels import MaskPixels, read_mask_pixels
from keras_segformer.data.masks import ANY_VALUES, MaskCoding, decide_readings, describe_readings
from keras_segformer.data.pairs import File, Listing, Pair, Problem
from keras_segformer.data.parallel import parallel_map
from keras_segformer.data.sources import CLASSES_FILE, SOURCES, Source
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_rules import IGNORE, MaskRules
from keras_segformer.progress_console import progress_console

_LISTED = 3
_LISTED_VALUES = 10


@dataclasses.dataclass(frozen=True)
class CheckReport:
    """The result of checking a split.

    Args:
        label_set: The classes.
        pixels: Pixels of the good pairs by class index, `(256,)`, int64; index 255 counts ignored pixels.
        images: Number of good pairs in which each class index occurs, `(256,)`, int64.
        good: The pairs that can be used.
        problems: What is wrong with the other files.
        coding: How the masks were read.
        assumptions: How ambiguous files were read, as sentences without a full stop.
        left_aside: Files and folders in the data set that are not read.
        doubts: Likely mistakes in the classes of the whole data set, such as a class that never occurs, as sentences
            without a full stop.
    """

    label_set: LabelSet
    pixels: np.ndarray
    images: np.ndarray
    good: tuple[Pair, ...]
    problems: tuple[Problem, ...]
    coding: MaskCoding
    assumptions: tuple[str, ...] = ()
    left_aside: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

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
            "assumptions": list(self.assumptions),
            "left_aside": list(self.left_aside),
            "doubts": list(self.doubts),
        }


def check(
    name: str,
    data: str | os.PathLike[str],
    splits: Iterable[str] | None = None,
    bit_depth: int | None = None,
) -> dict[str, CheckReport]:
    """Decodes every image and mask of a data set, counts the classes, and names every bad file.

    Args:
        name: `"ade20k"`, `"cityscapes"`, `"camvid"`, `"voc"`, or `"folder"` for one of your own.
        data: The folder or archive that holds it.
        splits: Names of splits; all that are there by default.
        bit_depth: How many bits of pictures with 16 bits a channel count; see `keras_segformer.images.load_image`.

    Returns:
        A report for every split. All of them are read in the same way.

    Raises:
        FileNotFoundError: There is no such folder or archive.
        InvalidDatasetError: It does not contain the data set or the split, or the classes do not follow from the values
            of the masks, or follow in two different ways.
        ValueError: There is no data set of that name.

    Example:

    ```python
    keras_segformer.data.check("camvid", "CamVid")["train"].problems
    ```
    """
    if name not in SOURCES:
        raise ValueError(f"There is no data set {name!r} to check; choose one of {', '.join(SOURCES)}.")
    return check_source(SOURCES[name], data, splits, bit_depth)


def check_source(
    source: Source,
    data: str | os.PathLike[str],
    splits: Iterable[str] | None = None,
    bit_depth: int | None = None,
) -> dict[str, CheckReport]:
    """Checks a data set and shows the progress, as `check` does by the name of a source.

    Args:
        source: The source of the data set.
        data: As for `check`.
        splits: As for `check`.
        bit_depth: As for `check`.

    Returns:
        A report for every split.
    """
    listings = source.find(data)
    missing = sorted(set(splits or ()) - listings.keys())
    if missing:
        raise InvalidDatasetError(f"'{data}' has no split {missing[0]!r}; choose one of {', '.join(listings)}.")
    examined = {
        split: list(_examine_all(listings[split], f"Checking {split}", bit_depth)) for split in splits or listings
    }
    masks = [each.mask for pairs in examined.values() for each in pairs if each.mask is not None]
    coding = decide_readings(source.coding(data), masks)
    reports = {split: _report(listings[split], pairs, coding) for split, pairs in examined.items()}
    left_aside = source.left_aside(data)
    reports = {split: dataclasses.replace(report, left_aside=left_aside) for split, report in reports.items()}
    doubts: tuple[str, ...] = ()
    if coding.label_set == ANY_VALUES.label_set:
        label_set = _infer_label_set(reports.values())
        reports = {split: dataclasses.replace(report, label_set=label_set) for split, report in reports.items()}
    elif source.label_set is None and splits is None:
        doubts = _doubts(reports.values(), coding)
    if source.label_set is None:
        good = [each for pairs in examined.values() for each in pairs if not each.problems]
        doubts += _doubts_of_values(good, coding)
    return {split: dataclasses.replace(report, doubts=doubts) for split, report in reports.items()}


def check_pairs(
    listing: Listing, coding: MaskCoding, description: str = "Checking", bit_depth: int | None = None
) -> CheckReport:
    """Decodes every image and mask, in parallel and one after the other in memory, and shows the progress.

    Args:
        listing: The files.
        coding: What the pixels of the masks mean.
        description: What the progress bar says.
        bit_depth: As for `check_source`.

    Returns:
        The label histogram of the good pairs; and as problems the files that are left over, cannot be decoded, differ
        in size, hold values that no class has, or no class at all.

    Raises:
        InvalidDatasetError: The masks can be read in two ways.

    Example:

    ```python
    report = check_pairs(listing, MaskCoding(load_label_set("camvid"), void=frozenset({11})))
    ```
    """
    examined = list(_examine_all(listing, description, bit_depth))
    masks = [each.mask for each in examined if each.mask is not None]
    return _report(listing, examined, decide_readings(coding, masks))


def describe_problems(problems: Sequence[Problem | str]) -> str:
    """Describes the number of problems and the first few of them.

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


@dataclasses.dataclass(frozen=True)
class _Examined:
    """A pair that has been decoded, before its values become classes."""

    pair: Pair
    mask: MaskPixels | None
    assumptions: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def _examine_all(listing: Listing, description: str, bit_depth: int | None) -> Iterator[_Examined]:
    """Decodes every pair, with a progress bar."""
    examined = parallel_map(functools.partial(_examine, bit_depth=bit_depth), listing.pairs)
    return iter(track(examined, description, total=len(listing.pairs), console=progress_console()))


def _examine(pair: Pair, bit_depth: int | None) -> _Examined:
    problems = []
    image = mask = size = None
    try:
        mask = read_mask_pixels(_read(pair.mask))
    except InvalidDatasetError as error:
        problems.append(Problem(str(pair.mask), str(error)))
    try:
        image = encode_image(_read(pair.image), mask.shape if mask else None, bit_depth)
        size = image_size(image.data)
    except InvalidDatasetError as error:
        problems.append(Problem(str(pair.image), str(error)))
    if not problems and mask.shape != size:
        reason = f"differ in size: {size[0]}x{size[1]} and {mask.shape[0]}x{mask.shape[1]} (height x width)"
        problems.append(Problem(f"{pair.image} and {pair.mask}", reason))
    if problems:
        return _Examined(pair, mask and mask.survey(), (), tuple(problems))
    assumptions = tuple(f"{pair.image} {assumption}" for assumption in image.assumptions)
    if image.transparent is not None:
        mask = mask.without(image.transparent)
    return _Examined(pair, mask.survey(), assumptions)


def _report(listing: Listing, examined: Iterable[_Examined], coding: MaskCoding) -> CheckReport:
    """What the pairs of a split hold, once it is known what their values mean."""
    pixels, images = np.zeros(256, np.int64), np.zeros(256, np.int64)
    good, problems, assumptions = [], list(listing.problems), []
    for each in examined:
        counts, found = _count(each, coding)
        problems += found
        if counts is not None:
            good.append(each)
            pixels += counts
            images += counts > 0
            assumptions += each.assumptions
    described = [*describe_readings(coding, [each.mask for each in good]), *assumptions[:_LISTED]]
    if len(assumptions) > _LISTED:
        described.append(f"{len(assumptions) - _LISTED} more pictures are read under such assumptions")
    pairs = tuple(each.pair for each in good)
    return CheckReport(coding.label_set, pixels, images, pairs, tuple(problems), coding, tuple(described))


def _count(examined: _Examined, coding: MaskCoding) -> tuple[np.ndarray | None, Sequence[Problem]]:
    """Pixels by class index, `(256,)`, or what is wrong."""
    if examined.problems:
        return None, examined.problems
    mask = examined.mask
    try:
        classes = coding.classes_of(mask)
    except InvalidDatasetError as error:
        return None, [Problem(str(examined.pair.mask), str(error))]
    counts = np.bincount(classes, weights=mask.counts, minlength=256).astype(np.int64)
    counts[IGNORE] += mask.transparent
    if not coding.rules.has_labels(_label_counts(counts, coding.rules)):
        return None, [Problem(str(examined.pair.mask), "has no pixel of any class")]
    return counts, ()


def _doubts(reports: Iterable[CheckReport], coding: MaskCoding) -> tuple[str, ...]:
    """Likely mistakes in the classes of a data set; masks in which all but one class is ignored are refused."""
    rules, names = coding.rules, coding.label_set.names
    counts = _label_counts(sum(report.pixels for report in reports), rules)
    if not rules.has_labels(counts):  # not one good pair; the problems say why
        return ()
    if rules.has_contrast(counts):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        return (
            *rules.doubts(counts, names, is_all=True),
            *(f"several classes are named {name!r}; give each its own name" for name in repeated),
        )
    present = np.flatnonzero(counts[:-1])
    missing = next(name for index, name in enumerate(names) if index != present[0])
    raise InvalidDatasetError(
        f"The masks hold only the class {names[present[0]]!r} and ignored pixels (255, transparent, or black where "
        f"black is not the colour of a class), so that {missing!r} never occurs and nothing can be learned; if those "
        f"pixels are {missing!r}, say so in {CLASSES_FILE}, such as with "
        '"raw_to_train": {"0": 0, "255": 1} for masks of 0 and 255.'
    )


def _doubts_of_values(examined: Iterable[_Examined], coding: MaskCoding) -> tuple[str, ...]:
    """What is odd about masks of which some look to be of 0 and 1, and others of 0 and 255."""
    up_to_1, up_to_255 = [], []
    for each in examined:
        values = set(each.mask.codes.tolist())
        if each.mask.kind not in ("grey", "one bit") or not values <= {0, 1, IGNORE} or {1, IGNORE} <= values:
            return ()
        if 1 in values:
            up_to_1.append(each.pair.mask)
        elif IGNORE in values and IGNORE in coding.classes_of(each.mask):
            up_to_255.append(each.pair.mask)
    if not up_to_1 or not up_to_255:
        return ()
    return (
        f"masks such as {up_to_1[0]} hold 1 but no 255 ({len(up_to_1)} in all), and others such as {up_to_255[0]} hold "
        f"255 but no 1 ({len(up_to_255)}); 255 is ignored, so if it means the same as 1, say so in {CLASSES_FILE} with "
        '"raw_to_train": {"0": 0, "1": 1, "255": 1}',
    )


def _label_counts(pixels: np.ndarray, rules: MaskRules) -> np.ndarray:
    """Pixels by class index `(256,)` as the rules count them, `(num_labels + 1,)`."""
    return np.append(pixels[: rules.num_labels], pixels[IGNORE])


def _read(file: File) -> bytes:
    # A pipe or device might never end.
    if isinstance(file, Path) and file.exists() and not file.is_file():
        raise InvalidDatasetError("is a pipe or device; copy its content into a file")
    try:
        return read_picture_bytes(file)
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidDatasetError(f"cannot be read ({getattr(error, 'strerror', error)})") from error


def _infer_label_set(reports: Iterable[CheckReport]) -> LabelSet:
    """Generic classes for the values that the masks hold."""
    present = np.flatnonzero(sum(report.pixels[:IGNORE] for report in reports))
    if len(present) == 0:  # not one good pair; the problems say why
        return LabelSet.generic(2)
    if len(present) == 1 or present[-1] != len(present) - 1:
        listed = ", ".join(map(str, present[:_LISTED_VALUES])) + (", …" if len(present) > _LISTED_VALUES else "")
        raise InvalidDatasetError(
            f"The masks hold the values {listed}, which are not the indices 0, 1, … of several classes, beside 255 for "
            f"ignored pixels; write a {CLASSES_FILE} into the folder with name, names, palette and raw_to_train, which "
            'is {"0": 0, "255": 1} for masks of 0 and 255, or let `keras-segformer data classes FOLDER` write it.'
        )
    return LabelSet.generic(len(present))
