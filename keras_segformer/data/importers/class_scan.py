"""Counts the values or colours of masks, and names classes after them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

import numpy as np

from keras_segformer.data.importers.class_lists import ClassList
from keras_segformer.data.importers.labels import ExportFile, LabelClass
from keras_segformer.data.importers.pixels import Pixels, count_values, describe_color, read_pixels, unpack
from keras_segformer.data.importers.report import sentence_about
from keras_segformer.data.parallel import parallel_map
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet
from keras_segformer.label_sets.colors import distinct_colors
from keras_segformer.mask_rules import IGNORE

MAX_CLASSES = 255
_BINARY = (0, 255)
_SHOWN = 5
_FEW_VALUES, _NEARLY_ALL = 8, 0.8


@dataclasses.dataclass
class MaskScan:
    """The values or colours found in masks.

    Args:
        kind: `"value"` or `"colour"`.
        pixels: Pixels by value or packed colour.
        files: Number of files by value or packed colour.
        palette: The colour of every value, where all files have the same palette.
        masks: Number of files that were read.
        problems: Files that cannot be read, as sentences.
        holds_both: Whether a file holds 1 beside 255.
    """

    kind: str
    pixels: Counter[int]
    files: Counter[int]
    palette: dict[int, int]
    masks: int
    problems: list[str]
    holds_both: bool = False

    @property
    def doubts(self) -> list[str]:
        """Sentences about files of which some look to be of 0 and 1, and others of 0 and 255; each has a remedy."""
        is_mixed = self.kind == "value" and {1, IGNORE} <= set(self.pixels) <= {0, 1, IGNORE} and not self.holds_both
        if not is_mixed:
            return []
        return [
            f"Some masks hold 1 but no 255 ({self.files[1]}), and others 255 but no 1 ({self.files[IGNORE]}); 255 is "
            'ignored, so if it means the same as 1, say so in a classes.json, with "raw_to_train": '
            '{"0": 0, "1": 1, "255": 1}.'
        ]

    @property
    def present(self) -> list[int]:
        """The values or colours that are classes: all but 255, unless the values are steps from 0 to 255."""
        found = sorted(self.pixels)
        return found if self.kind == "colour" or self.is_in_steps else [each for each in found if each != IGNORE]

    @property
    def is_in_steps(self) -> bool:
        """Returns True if the values divide 0 to 255 in equal steps, such as 0, 127 and 255, so that 255 is a class."""
        found = sorted(self.pixels)
        steps = np.rint(np.linspace(0, IGNORE, len(found)))
        has_ends = found[:1] == [0] and found[-1] == IGNORE
        return self.kind == "value" and has_ends and bool((np.abs(steps - found) <= 1).all())

    @property
    def is_binary(self) -> bool:
        """Returns True if masks are of 0 and 255, so that 255 is a class."""
        return self.kind == "value" and tuple(sorted(self.pixels)) == _BINARY

    @property
    def _has_soft_edges(self) -> bool:
        ends = self.pixels[_BINARY[0]] + self.pixels[_BINARY[1]]
        many = len(self.pixels) > _FEW_VALUES and self.pixels[_BINARY[1]] > 0
        return self.kind == "value" and many and ends > _NEARLY_ALL * sum(self.pixels.values())

    def describe(self, each: int) -> str:
        """A value or colour for people."""
        return describe_color(each) if self.kind == "colour" else str(each)

    def name(self, each: int) -> str:
        """The default name of the class of a value or colour."""
        if self.kind == "colour":
            return "background" if each == 0 else "colour " + "-".join(map(str, unpack(each)))
        if self.is_binary:
            return "foreground" if each else "background"
        return f"class {each}"

    def class_list(self) -> ClassList:
        """Returns the classes with their values or colours.

        Raises:
            InvalidDatasetError: There are too many to be classes, or none.
        """
        label_set = self.label_set("scan")
        classes = [LabelClass(*pair) for pair in zip(label_set.names, label_set.palette, strict=True)]
        if self.kind == "colour":
            return ClassList(classes, {})
        return ClassList([LabelClass(each.name) for each in classes], {each: self.name(each) for each in self.present})

    def label_set(self, name: str) -> LabelSet:
        """The classes as a label set.

        Args:
            name: Its name.

        Raises:
            InvalidDatasetError: There are too many to be classes, or none.
        """
        present = self.present
        if not present:
            raise InvalidDatasetError("The masks hold no value of a class: they are empty, or 255 everywhere.")
        if present[0] < 0:
            raise InvalidDatasetError(
                f"The masks hold the value {present[0]}, which cannot be a class; save class indices from 0 on, and "
                "255 where there is no class."
            )
        if len(present) > MAX_CLASSES:
            raise InvalidDatasetError(
                f"The masks hold {len(present)} {self.kind}s, too many for classes: such as "
                f"{', '.join(map(self.describe, present[:_SHOWN]))}. Soft edges or JPEG make so many; export masks "
                "with hard edges as PNG."
            )
        if self._has_soft_edges:
            raise InvalidDatasetError(
                f"The masks hold {len(present)} values, but nearly all pixels have 0 or 255: their edges are soft. "
                "Export masks with hard edges, or set every value to 0 or 255."
            )
        if self.kind == "colour":
            palette = tuple(unpack(each) for each in present)
        elif set(present) <= self.palette.keys() and len({self.palette[each] for each in present}) == len(present):
            palette = tuple(unpack(self.palette[each]) for each in present)
        else:
            palette = distinct_colors(len(present))
        raw_to_train = {} if self.kind == "colour" else {each: index for index, each in enumerate(present)}
        return LabelSet(name=name, names=tuple(map(self.name, present)), palette=palette, raw_to_train=raw_to_train)


def scan_masks(masks: Iterable[ExportFile]) -> MaskScan:
    """Counts the values or colours of masks.

    Args:
        masks: The files.

    Returns:
        What they hold. Files of grey colours only, such as of 0 and 255 in RGB, count by value.

    Raises:
        InvalidDatasetError: None can be read, or some hold values and others colours.

    Example:

    ```python
    tree = Tree("masks")
    scan_masks(ExportFile(tree, path) for path in tree.paths).pixels
    ```
    """
    by_kind: dict[str, MaskScan] = {}
    problems: list[str] = []
    grey = True
    scanned = list(parallel_map(_scan, list(masks)))
    for file, found in scanned:
        if isinstance(found, str):
            problems.append(sentence_about(file.path, found))
        else:
            grey &= found[0] != "colour"
    for _, found in scanned:
        if isinstance(found, str):
            continue
        kind, counts, palette = found
        if kind == "grey":
            kind, counts = (
                ("value", {key & 255: count for key, count in counts.items()}) if grey else ("colour", counts)
            )
        scan = by_kind.setdefault(kind, MaskScan(kind, Counter(), Counter(), dict(palette), 0, problems))
        scan.masks += 1
        scan.pixels.update(counts)
        scan.files.update(counts.keys())
        scan.holds_both |= {1, IGNORE} <= counts.keys()
        scan.palette = {value: color for value, color in scan.palette.items() if palette.get(value) == color}
    if not by_kind:
        raise InvalidDatasetError(f"No mask can be read. {' '.join(problems[:3])}")
    if len(by_kind) > 1:
        value, color = by_kind["value"], by_kind["colour"]
        raise InvalidDatasetError(
            f"{value.masks} masks hold values and {color.masks} hold colours; export all alike, or list the classes "
            "with their colours in a classes.json."
        )
    return next(iter(by_kind.values()))


_Found = tuple[str, dict[int, int], dict[int, int]]


def _scan(file: ExportFile) -> tuple[ExportFile, _Found | str]:
    try:
        pixels = read_pixels(file.read())
    except InvalidDatasetError as error:
        return file, str(error)
    values = pixels.values if pixels.erased is None else pixels.values[~pixels.erased]
    present, counts = count_values(values) if values.size else (values, values)
    return file, (_kind(pixels), dict(zip(present.tolist(), counts.tolist(), strict=True)), _palette(pixels))


def _kind(pixels: Pixels) -> str:
    if not pixels.colored:
        return "value"
    return "grey" if pixels.is_grey else "colour"


def _palette(pixels: Pixels) -> dict[int, int]:
    return {} if pixels.palette is None else dict(enumerate(pixels.palette.tolist()))
