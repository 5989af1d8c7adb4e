"""Mask files: from the values or colours of their pixels to class indices."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from keras_segformer.data.mask_values import IGNORE
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet

MAX_CLASSES = IGNORE
"""More do not fit into 8 bits beside the value for ignored pixels."""

_UNKNOWN = -1
_VALUES, _COLORS = 1 << 16, 1 << 24
_LISTED = 5
_GREY = 0  # PNG's code of the colour type


@dataclasses.dataclass(frozen=True)
class MaskCoding:
    """How the mask files of a data set name the classes.

    The pixels of grey files and of files with a palette hold values, which `label_set.raw_to_train` names; those of
    RGB files hold the colours of `label_set.palette`, and black where there is no class.

    Args:
        label_set: The classes.
        void: Values known to mean no class. Any other that `raw_to_train` does not name is an error; `None` takes all
            of them as void.

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

    def __post_init__(self) -> None:
        if self.label_set.num_classes > MAX_CLASSES:
            raise InvalidDatasetError(
                f"Label set '{self.label_set.name}' has {self.label_set.num_classes} classes, but training masks hold "
                f"at most {MAX_CLASSES}; merge some of them."
            )

    def read(self, data: bytes) -> np.ndarray:
        """Decodes a mask.

        Args:
            data: The content of a PNG file.

        Returns:
            Class indices `(H, W)`, uint8, with 255 where there is no class.

        Raises:
            InvalidDatasetError: It is no PNG, is broken, or has a value or colour that is no class. The message is
                the predicate of a sentence about the file.
        """
        pixels = _read_png(data)
        if pixels.ndim == 2:
            return _look_up(pixels, self._value_table, "value", str)
        if self == ANY_VALUES:
            raise InvalidDatasetError("is coloured; name the classes and their colours in classes.json")
        if len(set(self.label_set.palette)) < self.label_set.num_classes:
            raise InvalidDatasetError("is coloured, but some classes share a colour; save it with the class indices")
        red, green, blue = np.moveaxis(pixels.astype(np.int32), -1, 0)
        return _look_up(red << 16 | green << 8 | blue, self._color_table, "colour", _color)

    @functools.cached_property
    def _value_table(self) -> np.ndarray:
        """Class index of every 16-bit value."""
        if self.void is None:
            table = np.full(_VALUES, IGNORE, np.int16)
        else:
            table = np.full(_VALUES, _UNKNOWN, np.int16)
            table[list(self.void)] = IGNORE
        for value, index in self.label_set.raw_to_train.items():
            table[value] = index
        return table

    @functools.cached_property
    def _color_table(self) -> np.ndarray:
        """Class index of every colour, packed into 24 bits."""
        table = np.full(_COLORS, _UNKNOWN, np.int16)
        table[0] = IGNORE
        for index, (red, green, blue) in enumerate(self.label_set.palette):
            table[red << 16 | green << 8 | blue] = index
        return table


ANY_VALUES = MaskCoding(LabelSet.generic(MAX_CLASSES), frozenset({IGNORE}))
"""Takes every value but 255 for a class."""


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


def _read_png(data: bytes) -> np.ndarray:
    """The pixels of a PNG: values `(H, W)`, or colours `(H, W, 3)`."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format != "PNG":
                raise InvalidDatasetError(f"is a {image.format} file; save masks as PNG, which keeps every value")
            if image.mode in ("RGB", "RGBA"):
                return np.asarray(image.convert("RGB"))
            if image.mode not in ("1", "L", "P", "I", "I;16"):
                raise InvalidDatasetError(f"is a mask of mode {image.mode}; save it as grey, palette or RGB PNG")
            return np.asarray(image).astype(np.int32) // _grey_step(data)
    except InvalidDatasetError:
        raise
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidDatasetError("cannot be read as a PNG; save or download it again") from error


def _grey_step(data: bytes) -> int:
    """The distance of two neighbouring values: Pillow spreads grey of 2 or 4 bits over 0..255."""
    bit_depth, color_type = data[24], data[25]
    return 255 // (2**bit_depth - 1) if color_type == _GREY and bit_depth in (2, 4) else 1


def _look_up(values: np.ndarray, table: np.ndarray, kind: str, describe: Callable[[int], str]) -> np.ndarray:
    indices = table[values]
    unknown = np.unique(values[indices == _UNKNOWN]).tolist()
    if unknown:
        listed = ", ".join(map(describe, unknown[:_LISTED])) + (", …" if len(unknown) > _LISTED else "")
        raise InvalidDatasetError(f"has the {kind}{'s' * (len(unknown) > 1)} {listed}, which no class has")
    return indices.astype(np.uint8)


def _color(packed: int) -> str:
    return f"({packed >> 16}, {packed >> 8 & 255}, {packed & 255})"
