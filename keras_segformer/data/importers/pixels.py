"""Reads mask files as values or colours, and layers as opacity."""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_segformer.data.file_budgets import open_dataset_image
from keras_segformer.data.importers.labels import IGNORED, RGB, UNLABELLED, PixelValues
from keras_segformer.data.mask_pixels import read_mask_pixels
from keras_segformer.errors import InvalidDatasetError

_NO_COLOR = -2


@dataclasses.dataclass(frozen=True)
class Pixels:
    """The pixels of a mask file.

    Args:
        values: `(H, W)`, int32: the values of a grey file or of one with a palette, or colours packed into 24 bits.
        colored: Whether they are colours.
        erased: `(H, W)`, bool: where the file is transparent; `None` where it is nowhere.
        palette: The packed colour of every value that occurs in a file with a palette, `(n,)`; -2 for others and for
            values behind the palette's end.
    """

    values: np.ndarray
    colored: bool
    erased: np.ndarray | None = None
    palette: np.ndarray | None = None

    @property
    def is_grey(self) -> bool:
        """Returns True if the colours are all shades of grey, so that they may stand for values."""
        blue = self.values & 255
        return self.colored and bool(((self.values >> 16 == blue) & ((self.values >> 8 & 255) == blue)).all())


def read_pixels(data: bytes) -> Pixels:
    """Reads a mask file.

    Args:
        data: Its content.

    Returns:
        Its values: those of a palette are indices.

    Raises:
        InvalidDatasetError: As of `read_mask_pixels`, whose message is the predicate of a sentence about the file.
    """
    pixels = read_mask_pixels(data)
    positions = pixels.positions()
    values = np.append(pixels.codes, 0).astype(np.int32)[positions]  # the last one for transparent pixels, -1
    erased = positions < 0 if pixels.transparent else None
    palette = None
    if pixels.kind == "palette":
        palette = np.full(int(pixels.codes.max(initial=-1)) + 1, _NO_COLOR, np.int32)
        red, green, blue = pixels.colours.T
        palette[pixels.codes] = np.where(red < 0, _NO_COLOR, red << 16 | green << 8 | blue)
    return Pixels(values, pixels.kind == "colour", erased, palette)


def read_layer(data: bytes) -> np.ndarray:
    """Reads the opacity of a layer.

    Args:
        data: An image file: its alpha channel counts where it has one, else its grey values.

    Returns:
        `(H, W)`, uint8.

    Raises:
        InvalidDatasetError: It is broken. The message is the predicate of a sentence about the file.
    """
    try:
        with open_dataset_image(data) as image:
            if image.has_transparency_data:
                return np.array(image.convert("RGBA").getchannel("A"))
            if image.mode in ("P", "1"):
                return np.where(np.asarray(image), 255, 0).astype(np.uint8)
            if image.mode.startswith("I"):
                return np.where(np.asarray(image) > 255, 255, np.asarray(image)).astype(np.uint8)
            return np.array(image.convert("L"))
    except (InvalidDatasetError, MemoryError):
        raise
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidDatasetError(f"cannot be read as an image ({error}); save or export it again") from error


def decode_base64(text: Any) -> bytes:
    """The data in a text of base64, with or without the head of a `data:` URL.

    Raises:
        InvalidDatasetError: It is not such a text. The message is the predicate of a sentence.
    """
    try:
        return base64.b64decode(re.sub(r"^data:[^,]*,", "", text))
    except (TypeError, ValueError) as error:
        raise InvalidDatasetError("has data that are not base64") from error


def pixel_values(
    pixels: Pixels,
    by_value: Mapping[int, str],
    by_color: Mapping[RGB, str],
    black_is_unlabelled: bool = True,
    black_is_color: Callable[[], bool] = lambda: False,
    palette_colors: Mapping[RGB, str] | None = None,
) -> PixelValues:
    """Names the classes of the pixels of a mask file.

    Indices of a palette are values, unless the colours that they have are those of classes and tell of others: programs
    that make files smaller sort palettes anew.

    Args:
        pixels: The file.
        by_value: The class of every value, for grey files and for those with a palette.
        by_color: The class of every colour. A file of greys that are not among them is read by value.
        black_is_unlabelled: Whether black stands for no label where no class has it.
        black_is_color: Tells of a file with three channels that is black throughout whether it is of colours, as the
            others of its data set are, instead of the value 0.
        palette_colors: The class of every colour in palettes, where not all of `by_color` are known for sure.

    Returns:
        Values and names; transparent pixels are unlabelled.

    Raises:
        InvalidDatasetError: The file is coloured, but the classes have no colours. The message is the predicate of a
            sentence about the file.
    """
    packed = {pack(color): name for color, name in by_color.items()}
    if black_is_unlabelled:
        packed = {0: UNLABELLED, **packed}
    if pixels.palette is not None:
        own = by_color if palette_colors is None else palette_colors
        shown = {code: name for code, name in packed.items() if code == 0 or unpack(code) in own}
        if _fits_by_color_only(pixels, by_value, shown):
            ignored = {
                int(pixels.palette[value]): IGNORED for value in _shown(pixels) if by_value.get(value) == IGNORED
            }
            return erase(pixels, PixelValues(pixels.palette[pixels.values], {**ignored, **shown}, describe_color))
    by_colors = pixels.colored and not (pixels.is_grey and by_value and not _known(pixels.values, by_color))
    if pixels.colored and by_color and not by_colors and not pixels.values.any():
        by_colors = black_is_color()
    if by_colors:
        if not by_color:
            raise InvalidDatasetError("is coloured, but the classes have no colours; name them with --classes")
        return erase(pixels, PixelValues(pixels.values, packed, describe_color))
    values = pixels.values & 255 if pixels.colored else pixels.values
    return erase(pixels, PixelValues(values, by_value))


def erase(pixels: Pixels, labelled: PixelValues) -> PixelValues:
    """Marks the transparent pixels of a mask file as unlabelled.

    Args:
        pixels: The file.
        labelled: Its labels.

    Returns:
        The labels, unlabelled where the file is transparent.
    """
    if pixels.erased is None:
        return labelled
    values = np.where(pixels.erased, -1, labelled.values)
    return PixelValues(values, {**labelled.names, -1: UNLABELLED}, labelled.describe)


def count_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values that occur and how often, as `np.unique` returns them, without sorting every pixel.

    Args:
        values: Integers of at most 24 bits, or small negative ones.

    Returns:
        The values, ascending, `(n,)`, and their numbers, `(n,)`.

    Example:

    >>> count_values(np.array([[3, 7], [7, 7]]))
    (array([3, 7]), array([1, 3]))
    """
    lowest, highest = int(values.min()), int(values.max())
    if highest - lowest >= 1 << 24:
        return np.unique(values, return_counts=True)
    occurs = np.zeros(highest - lowest + 1, bool)
    occurs[(values - lowest).ravel()] = True
    present = np.flatnonzero(occurs) + lowest
    return present, np.bincount(np.searchsorted(present, values.ravel()), minlength=len(present))


def pack(color: RGB) -> int:
    """A colour as one number of 24 bits."""
    red, green, blue = color
    return red << 16 | green << 8 | blue


def unpack(packed: int) -> RGB:
    """The colour that `pack` has packed."""
    return packed >> 16, packed >> 8 & 255, packed & 255


def describe_color(packed: int) -> str:
    """A packed colour for people."""
    return f"({', '.join(map(str, unpack(packed)))})" if packed >= 0 else "transparent"


def _fits_by_color_only(pixels: Pixels, by_value: Mapping[int, str], by_color: Mapping[int, str]) -> bool:
    """Returns True if the colours of a palette name the classes in another order than its indices.

    Pillow's and VOC's palettes, whose colours are not those of the list, stay with the indices. Ignored values, whose
    colours no list has, decide nothing.
    """
    used = [value for value in _shown(pixels) if by_value.get(value) != IGNORED]
    colors = [int(pixels.palette[value]) for value in used]
    # Black throughout is a palette that was never set.
    tells_apart = any(colors) and len(set(colors)) == len(colors)
    found = [by_color.get(color) for color in colors]
    return tells_apart and None not in found and found != [by_value.get(value) for value in used]


def _shown(pixels: Pixels) -> list[int]:
    """The values of the pixels that are not transparent."""
    shown = pixels.values if pixels.erased is None else pixels.values[~pixels.erased]
    return count_values(shown)[0].tolist() if shown.size else []


def _known(values: np.ndarray, by_color: Mapping[RGB, str]) -> bool:
    """Returns True if some other value than black is that of a class."""
    packed = set(map(pack, by_color))
    present = set(count_values(values)[0].tolist()) - {0}
    return bool(present & packed) or (not present and 0 in packed)
