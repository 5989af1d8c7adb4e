"""Decodes run-length encoded masks of COCO, CVAT and Label Studio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_segformer.data.importers.polygons import Size, check_size
from keras_segformer.errors import InvalidDatasetError


def decode_coco(run_lengths: Mapping[str, Any]) -> np.ndarray:
    """Decodes COCO's run lengths: down the columns of the whole picture, beginning with zeros.

    Args:
        run_lengths: `size`, height before width, and `counts`: a list of integers, or a text that packs them.

    Returns:
        A mask `(H, W)`, bool.

    Raises:
        InvalidDatasetError: They do not fill the picture. The message is the predicate of a sentence about them.

    Example:

    >>> decode_coco({"size": [2, 2], "counts": [1, 2, 1]}).astype(int)
    array([[0, 1],
           [1, 0]])
    """
    counts = run_lengths.get("counts")
    try:
        height, width = map(int, run_lengths["size"])
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise InvalidDatasetError("has run lengths without a size") from error
    check_size((height, width))
    if isinstance(counts, list):
        return _expand(counts, height * width).reshape(width, height).T
    if not isinstance(counts, (str, bytes)):
        raise InvalidDatasetError("has run lengths that are neither a list nor a text")
    return _expand(_unpack_coco(counts), height * width).reshape(width, height).T


def decode_cvat(counts: str, size: Size) -> np.ndarray:
    """Decodes CVAT's run lengths: along the rows of a box, beginning with zeros.

    Args:
        counts: Integers between commas.
        size: Height and width of the box.

    Returns:
        A mask `(h, w)`, bool.

    Raises:
        InvalidDatasetError: They do not fill the box.

    Example:

    >>> decode_cvat("0, 1, 3", (2, 2)).astype(int)
    array([[1, 0],
           [0, 0]])
    """
    check_size(size)
    try:
        lengths = [int(count) for count in counts.split(",") if count.strip()]
    except ValueError as error:
        raise InvalidDatasetError("has run lengths that are not integers") from error
    return _expand(lengths, size[0] * size[1]).reshape(size)


def decode_label_studio(values: Sequence[int], size: Size) -> np.ndarray:
    """Decodes Label Studio's run lengths, the bit stream of thi.ng/rle-pack, with pixels of red, green, blue and alpha.

    Args:
        values: The bytes of the stream.
        size: Height and width of the picture.

    Returns:
        The alpha channel `(H, W)`, uint8.

    Raises:
        InvalidDatasetError: The stream ends early, or does not fill the picture.
    """
    check_size(size)
    expected = 4 * size[0] * size[1]
    try:
        # Checked here, since NumPy 1 would convert 300 to 44.
        are_bytes = min(values, default=0) >= 0 and max(values, default=0) <= 255
        packed = np.asarray(values, np.uint8) if are_bytes else None
    except (TypeError, ValueError, OverflowError):
        packed = None
    if packed is None or packed.ndim != 1:
        raise InvalidDatasetError("has run lengths that are not bytes")
    stream = _Bits(packed)
    count, word_bits = stream.take(32), stream.take(5) + 1
    run_bits = [stream.take(4) + 1 for _ in range(4)]
    if count != expected or word_bits > 8:
        raise InvalidDatasetError(f"has run lengths of {count} values instead of {expected} (height x width x 4)")
    pixels = np.zeros(expected, np.uint8)
    filled = 0
    while filled < expected:
        repeats = stream.take(1)
        length = stream.take(run_bits[stream.take(2)]) + 1
        if filled + length > expected:
            raise InvalidDatasetError("has run lengths that do not fit the size of its picture")
        if repeats:
            pixels[filled : filled + length] = stream.take(word_bits)
        else:
            pixels[filled : filled + length] = stream.take_many(word_bits, length)
        filled += length
    return pixels.reshape(*size, 4)[..., 3]


class _Bits:
    """A stream of bits, the highest of every byte first."""

    def __init__(self, data: np.ndarray) -> None:
        self._bits = np.unpackbits(data)
        self._text = self._bits.tobytes().translate(_DIGITS).decode("ascii")
        self._position = 0

    def take(self, count: int) -> int:
        start, self._position = self._position, self._position + count
        if self._position > len(self._text):
            raise InvalidDatasetError("has run lengths that end too early")
        return int(self._text[start : self._position], 2)

    def take_many(self, width: int, count: int) -> np.ndarray:
        start, self._position = self._position, self._position + width * count
        if self._position > len(self._text):
            raise InvalidDatasetError("has run lengths that end too early")
        bits = self._bits[start : self._position].reshape(count, width)
        return bits @ (1 << np.arange(width)[::-1])


_DIGITS = bytes([ord("0"), ord("1"), *range(2, 256)])


def _expand(lengths: Sequence[int], expected: int) -> np.ndarray:
    """Runs of zeros and ones in turn, `(expected,)`, bool."""
    try:
        array = np.asarray(lengths, np.int64).reshape(-1)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidDatasetError("has run lengths that are not integers") from error
    if (array < 0).any() or (array > expected).any() or array.sum() != expected:
        raise InvalidDatasetError(f"has run lengths of {array.sum()} pixels instead of {expected}")
    return np.repeat(np.arange(len(array)) % 2 == 1, array)


def _unpack_coco(text: str | bytes) -> list[int]:
    """The counts in COCO's text: groups of five bits with a sign, each from the third on as a difference.

    pycocotools offers this only together with decoding, which trusts the counts and may write out of bounds.
    """
    data = text.encode() if isinstance(text, str) else text
    counts: list[int] = []
    value = shift = 0
    for byte in data:
        group = byte - 48
        if not 0 <= group < 64 or shift > 40:
            raise InvalidDatasetError("has run lengths in a text that is not COCO's")
        value |= (group & 0x1F) << shift
        shift += 5
        if not group & 0x20:
            if group & 0x10:
                value -= 1 << shift
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value = shift = 0
    if shift:
        raise InvalidDatasetError("has run lengths that end too early")
    return counts
