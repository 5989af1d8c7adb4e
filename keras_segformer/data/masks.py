"""Maps the values or colours of masks to class indices, and decides which of the two a data set uses."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from PIL import Image

from keras_segformer.data.mask_pixels import Kind, MaskPixels, read_mask_pixels
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_rules import IGNORE, MaskRules

MAX_CLASSES = IGNORE
"""The most classes that 8 bits can hold in addition to the value for ignored pixels."""

Reading = Literal["values", "colours", "grey levels"]
"""What the pixels of a file stand for: their values (in files with a palette, the indices), their colours, or the
values that colours with equal red, green and blue have."""

READINGS: Mapping[Kind, tuple[Reading, ...]] = MappingProxyType(
    {
        "grey": ("values", "colours"),
        "one bit": ("values", "colours", "grey levels"),
        "palette": ("values", "colours", "grey levels"),
        "colour": ("colours", "grey levels"),
    }
)
"""The possible readings of every kind of file, the usual one first."""

_UNKNOWN = -1
_VALUES = 1 << 16
_LISTED = 5
_BLACK = (0, 0, 0)
_NOUNS = {
    "grey": "grey masks",
    "one bit": "masks of one bit",
    "palette": "masks with a palette",
    "colour": "coloured masks",
}
_USUAL = {"grey": "values", "one bit": "values", "palette": "indices", "colour": "colours"}
_MEANINGS = {
    "values": "their values",
    "colours": "their colours, which are those of the classes",
    "grey levels": "values, since red, green and blue are equal",
}


@dataclasses.dataclass(frozen=True)
class MaskCoding:
    """How the mask files of a data set encode the classes.

    Values are those that `label_set.raw_to_train` names, colours those of `label_set.palette`. Black means no class
    unless it is the colour of one, and so does transparency.

    Args:
        label_set: The classes.
        void: Values that are known to mean "no class". Other values that `raw_to_train` does not list are an error;
            with `None`, they mean "no class" too.
        readings: What every kind of file stands for, where that is decided (`decide_readings`); files of other kinds
            are decided one by one.
        names_values: Whether the user lists the values in `raw_to_train`.

    Raises:
        InvalidDatasetError: There are more than 255 classes.

    Example:

    ```python
    coding = MaskCoding(load_label_set("camvid"), void=frozenset({11}))
    mask = coding.read(Path("trainannot/0001TP_006690.png").read_bytes())
    ```
    """

    label_set: LabelSet
    void: frozenset[int] | None = None
    readings: tuple[tuple[Kind, Reading], ...] = ()
    names_values: bool = False

    def __post_init__(self) -> None:
        if self.label_set.num_classes > MAX_CLASSES:
            raise InvalidDatasetError(
                f"Label set '{self.label_set.name}' has {self.label_set.num_classes} classes, but training masks hold "
                f"at most {MAX_CLASSES}; merge some of them."
            )

    def read(self, data: bytes, hidden: np.ndarray | None = None) -> np.ndarray:
        """Decodes a mask.

        Args:
            data: The content of a PNG, GIF, BMP or TIFF file.
            hidden: `(H, W)`, bool, true where the picture is transparent, so that the pixel is ignored.

        Returns:
            Class indices `(H, W)`, uint8, with 255 where there is no class.

        Raises:
            InvalidDatasetError: It has another format, is broken, or has a value or colour that no class has. The
                message is the predicate of a sentence about the file.
        """
        return self.mask_of(read_mask_pixels(data), hidden)

    def mask_of(self, pixels: MaskPixels, hidden: np.ndarray | None = None) -> np.ndarray:
        """Maps the pixels of a mask to classes.

        Args:
            pixels: The mask.
            hidden: As for `read`.

        Returns:
            As `read` does.

        Raises:
            InvalidDatasetError: A value or colour does not belong to a class; the message is as in `read`.
        """
        classes = np.append(self.classes_of(pixels), np.uint8(IGNORE))  # the last one for transparent pixels, -1
        mask = classes[pixels.positions()]
        return mask if hidden is None else np.where(hidden, np.uint8(IGNORE), mask)

    def classes_of(self, pixels: MaskPixels) -> np.ndarray:
        """Finds the class of every value or colour that a mask holds.

        Args:
            pixels: The mask.

        Returns:
            The class index of each of `pixels.codes`, or 255 for no class; uint8.

        Raises:
            InvalidDatasetError: One of them does not belong to a class; the message is as in `read`.
        """
        coding = self if pixels.kind in dict(self.readings) else decide_readings(self, [pixels])
        reading = dict(coding.readings)[pixels.kind]
        classes = self.look_up(pixels, reading)
        if (classes == _UNKNOWN).any():
            raise InvalidDatasetError(self._complaint(pixels, reading, classes == _UNKNOWN))
        return classes.astype(np.uint8)

    def look_up(self, pixels: MaskPixels, reading: Reading) -> np.ndarray:
        """Finds the classes under one reading.

        Args:
            pixels: The mask.
            reading: One of those in `READINGS` for its kind.

        Returns:
            The class index of each of `pixels.codes`, 255 for no class, or -1 where that is unknown; int16.
        """
        if reading == "colours":
            return self._look_up_colours(pixels)
        values = pixels.codes if reading == "values" else pixels.grey_levels
        known = (values >= 0) & (values < _VALUES)
        return np.where(known, self._value_table[np.where(known, values, 0)], np.int16(_UNKNOWN))

    def _look_up_colours(self, pixels: MaskPixels) -> np.ndarray:
        if not self._has_colours:
            return np.full(len(pixels.codes), _UNKNOWN, np.int16)
        index_of = {colour: index for index, colour in enumerate(self.label_set.palette)}
        index_of.setdefault(_BLACK, IGNORE)
        classes = np.array([index_of.get(tuple(colour), _UNKNOWN) for colour in pixels.colours.tolist()], np.int16)
        if pixels.kind == "palette":  # the colour of an index that means "ignored" does not matter
            classes[(classes == _UNKNOWN) & np.isin(pixels.codes, list(self.void or ()))] = IGNORE
        return classes

    @property
    def rules(self) -> MaskRules:
        """What the masks that `read` returns may hold."""
        return MaskRules(self.label_set.num_classes, IGNORE)

    @property
    def _has_colours(self) -> bool:
        """True if the label set's colours were given by the user and are distinct."""
        palette = self.label_set.palette
        return self.label_set != ANY_VALUES.label_set and len(set(palette)) == len(palette)

    @functools.cached_property
    def _value_table(self) -> np.ndarray:
        """Class index of every 16-bit value."""
        if self.void is None:
            table = np.full(_VALUES, IGNORE, np.int16)
        else:
            table = np.full(_VALUES, _UNKNOWN, np.int16)
            table[list(self.void)] = IGNORE
        for value, index in self.label_set.raw_to_train.items():
            table[value] = IGNORE if index == self.label_set.ignore_index else index
        return table

    def _complaint(self, pixels: MaskPixels, reading: Reading, unknown: np.ndarray) -> str:
        """What is wrong with a mask, as the predicate of a sentence about it."""
        if reading == "colours" and not self._has_colours:
            if self.label_set == ANY_VALUES.label_set:
                return (
                    "is coloured; name the classes and their colours in classes.json, which `keras-segformer data "
                    "classes FOLDER` writes"
                )
            return "is coloured, but some classes share a colour; save it with the class indices"
        if reading == "colours":
            noun, found = "colour", [str(tuple(colour)) for colour in pixels.colours[unknown].tolist()]
        else:
            noun, found = "value", list(map(str, pixels.codes[unknown].tolist()))
        listed = ", ".join(found[:_LISTED]) + (", …" if len(found) > _LISTED else "")
        complaint = f"has the {noun}{'s' * (len(found) > 1)} {listed}, which no class has"
        if pixels.kind == "palette" and self._has_colours:
            complaint += ", and its palette has other colours than the classes"
        if reading != "colours" and self.names_values:
            complaint += "; name them in raw_to_train of classes.json, as a class or, for pixels to ignore, as 255"
        return complaint


ANY_VALUES = MaskCoding(LabelSet.generic(MAX_CLASSES), frozenset({IGNORE}))
"""Reads every value except 255 as a class."""


def decide_readings(coding: MaskCoding, masks: Iterable[MaskPixels]) -> MaskCoding:
    """Decides whether the files of a data set should be read by their values or by their colours.

    Kinds of files whose reading is decided already keep it. For each other kind, the reading that fits most files is
    taken, and of several the one that finds more classes. Where indices and colours of a palette fit equally well, its
    colours count: a palette that consists of the classes' colours is hardly a coincidence, while small indices fit any
    data set. So it is with the black and white of one bit, unless `raw_to_train` names values.

    Args:
        coding: The classes.
        masks: All masks of the data set; `MaskPixels.survey` of each is enough.

    Returns:
        The coding with its `readings`.

    Raises:
        InvalidDatasetError: Two readings fit equally well and give different classes.

    Example:

    ```python
    coding = decide_readings(coding, [read_mask_pixels(path.read_bytes()) for path in paths])
    ```
    """
    by_kind: dict[Kind, list[MaskPixels]] = {}
    for mask in masks:
        if mask.kind not in dict(coding.readings):
            by_kind.setdefault(mask.kind, []).append(mask)
    decided = {kind: _decide(coding, kind, by_kind[kind]) for kind in by_kind}
    return dataclasses.replace(coding, readings=tuple({**dict(coding.readings), **decided}.items()))


def describe_readings(coding: MaskCoding, masks: Iterable[MaskPixels]) -> list[str]:
    """Describes what was assumed about the masks of a data set.

    Args:
        coding: What `decide_readings` returned.
        masks: The masks.

    Returns:
        Sentences without a full stop; none where every file is read in the usual way.
    """
    masks = list(masks)
    described = []
    for kind, reading in coding.readings:
        concerned = [mask for mask in masks if mask.kind == kind]
        usual = READINGS[kind][0]
        if concerned and reading != usual:
            differ = any((coding.look_up(mask, usual) != coding.look_up(mask, reading)).any() for mask in concerned)
            disagree = f"; their {_USUAL[kind]} would give other classes or none" if differ else ""
            described.append(f"{_NOUNS[kind]} ({len(concerned)}) are read by {_MEANINGS[reading]}{disagree}")
    transparent = sum(mask.transparent > 0 for mask in masks)
    if transparent:
        described.append(f"transparent pixels of masks ({transparent}), or those without data, are ignored")
    return described


def encode_mask(mask: np.ndarray) -> bytes:
    """Encodes class indices as the PNG file that `Examples` holds.

    Args:
        mask: `(H, W)`, uint8.

    Returns:
        A grey PNG of 8 bits.

    Example:

    >>> encode_mask(np.zeros((2, 2), np.uint8))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()


def _decide(coding: MaskCoding, kind: Kind, masks: list[MaskPixels]) -> Reading:
    """The reading of the files of one kind."""
    readings = READINGS[kind]
    if kind == "grey" and coding.names_values:
        return readings[0]
    if kind == "one bit" and coding.names_values:  # the values of one bit, or those of the same mask in 8 bits
        readings = tuple(reading for reading in readings if reading != "colours")
    found = {reading: [coding.look_up(mask, reading) for mask in masks] for reading in readings}
    fitting = {reading: sum((each != _UNKNOWN).all() for each in found[reading]) for reading in readings}
    best = [reading for reading in readings if fitting[reading] == max(fitting.values())]
    if max(fitting.values()) == 0 or all(_are_equal(found[best[0]], found[other]) for other in best[1:]):
        return best[0]
    classes = {reading: len(set(np.concatenate(found[reading]).tolist()) - {IGNORE, _UNKNOWN}) for reading in best}
    if kind != "colour":
        best = [reading for reading in best if classes[reading] == max(classes.values())]
    others = [classes[reading] for reading in best if reading != "colours"]
    if all(_are_equal(found[best[0]], found[other]) for other in best[1:]):
        return best[0]
    if "colours" in best and (
        kind in ("palette", "one bit") or classes["colours"] == 0 or classes["colours"] > max(others)
    ):
        return "colours"
    if len(best) > 1:
        raise InvalidDatasetError(
            f"The {_NOUNS[kind]} can be read by {' and by '.join(_MEANINGS[reading] for reading in best)}, with "
            "different classes; change the palette or raw_to_train in classes.json so that one of them fits."
        )
    return best[0]


def _are_equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(map(np.array_equal, one, other))
