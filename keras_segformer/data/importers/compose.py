"""Composes regions or values into a mask of class indices, and counts pixels."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping

import numpy as np

from keras_segformer.data.importers.labels import UNLABELLED, Painting, PixelValues, Region
from keras_segformer.data.importers.pixels import count_values
from keras_segformer.data.importers.polygons import Size, check_size
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.mask_rules import IGNORE

_BLANK = -1


@dataclasses.dataclass(frozen=True)
class Palette:
    """Maps labels to class indices.

    Args:
        indices: Class index of every label, `IGNORE` for those to ignore.
        unlabelled: Class index of unlabelled pixels.
    """

    indices: Mapping[str, int]
    unlabelled: int

    def index(self, label: str) -> int:
        """The class index of a label; unknown ones are ignored."""
        return self.indices.get(label, IGNORE)


@dataclasses.dataclass
class Tally:
    """Counts of the label of one picture, in pixels unless stated otherwise.

    Args:
        overlap: Pixels in regions of several classes.
        covered: Pixels of a class under regions of other classes, by class index.
        unknown: Values, colours and labels that no class has; `""` is a region without label.
        ignored: Pixels of labels that are known and ignored.
        regions: Number of regions.
        blank_regions: The labels of regions without a pixel.
        skipped: Number of shapes that are not drawn, by kind.
        problems: What is wrong with regions, as predicates of sentences about the file.
    """

    overlap: int = 0
    covered: Counter[int] = dataclasses.field(default_factory=Counter)
    unknown: Counter[str] = dataclasses.field(default_factory=Counter)
    ignored: Counter[str] = dataclasses.field(default_factory=Counter)
    regions: int = 0
    blank_regions: list[str] = dataclasses.field(default_factory=list)
    skipped: Counter[str] = dataclasses.field(default_factory=Counter)
    problems: list[str] = dataclasses.field(default_factory=list)


def compose(
    label: Painting | PixelValues, size: Size | None, order: str | None, palette: Palette
) -> tuple[np.ndarray, Tally]:
    """Makes the mask of a picture.

    Args:
        label: Its label.
        size: Height and width of the picture; those of the label where there is no picture.
        order: One of `ORDERS`.
        palette: The class index of every label.

    Returns:
        Class indices `(H, W)`, uint8, and what was counted.

    Raises:
        InvalidDatasetError: The size is unknown. The message is the predicate of a sentence about the label.

    Example:

    ```python
    mask, tally = compose(painting, (480, 640), "order", Palette({"car": 1}, unlabelled=0))
    ```
    """
    tally = Tally()
    if isinstance(label, PixelValues):
        return _look_up(label, palette, tally), tally
    size = size or label.size
    if size is None:
        raise InvalidDatasetError("does not say how large its picture is, which is not there; name it with --images")
    check_size(size)
    tally.skipped.update(label.skipped)
    tally.problems.extend(label.problems)
    canvas = np.full(size, _BLANK, np.int16)
    contested = np.zeros(size, bool)
    for patch in _ordered(label.regions, size, order, tally):
        index = palette.index(patch.label)
        if index == IGNORE:
            _count_ignored(patch.label, patch.pixels, palette, tally)
        below = canvas[patch.place]
        covered = patch.mask & (below != _BLANK) & (below != index)
        if covered.any():
            contested[patch.place] |= covered
            tally.covered.update(dict(zip(*map(np.ndarray.tolist, count_values(below[covered])), strict=True)))
        below[patch.mask] = index
    tally.overlap = int(contested.sum())
    return np.where(canvas == _BLANK, palette.unlabelled, canvas).astype(np.uint8), tally


@dataclasses.dataclass(frozen=True)
class _Patch:
    """A region that was drawn, cropped to its bounding box: full masks of hundreds of regions would fill the memory."""

    label: str
    place: tuple[slice, slice]
    mask: np.ndarray

    @property
    def pixels(self) -> int:
        return int(self.mask.sum())


def _ordered(regions: list[Region], size: Size, order: str | None, tally: Tally) -> list[_Patch]:
    """The regions that can be drawn, from the lowest to the highest."""
    drawn = []
    for region in regions:
        tally.regions += 1
        try:
            mask = region.draw(size)
        except InvalidDatasetError as error:
            tally.problems.append(f"has a region of {region.label or 'no label'!r} that {error}")
            continue
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows):
            place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            drawn.append(_Patch(region.label, place, mask[place].copy()))
        else:
            tally.blank_regions.append(region.label)
    if order == "area":
        drawn.sort(key=lambda patch: -patch.pixels)
    return drawn


def _look_up(label: PixelValues, palette: Palette, tally: Tally) -> np.ndarray:
    present, amounts = count_values(label.values)
    indices = np.full(len(present), IGNORE, np.uint8)
    for position, value in enumerate(present.tolist()):
        name = label.names.get(value)
        if name is None:
            tally.unknown[label.describe(value)] += int(amounts[position])
        elif name == UNLABELLED:
            indices[position] = palette.unlabelled
        else:
            indices[position] = palette.index(name)
            if indices[position] == IGNORE:
                _count_ignored(name, int(amounts[position]), palette, tally)
    return indices[np.searchsorted(present, label.values)]


def _count_ignored(label: str, pixels: int, palette: Palette, tally: Tally) -> None:
    (tally.ignored if label in palette.indices else tally.unknown)[label] += pixels
