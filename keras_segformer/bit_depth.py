"""Pixel values of more than 8 bits, brought to the scale 0..255."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator

import numpy as np
from PIL import Image

from keras_segformer.errors import InvalidImageError

DEPTHS = (8, 10, 12, 14, 16)
"""The bit depths that cameras and scanners store in 16 bits, in ascending order."""

_PNG_SIGNATURE = 8
# Of big-endian, little-endian and the machine's own order.
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_TIFF_BITS, _TIFF_MAXIMUM = 258, 281  # BitsPerSample, MaxSampleValue


def check_bit_depth(bit_depth: int | None) -> None:
    """Checks a bit depth.

    Args:
        bit_depth: 1 to 16, or `None` for "unknown".

    Raises:
        ValueError: It is anything else.
    """
    valid = bit_depth is None or (isinstance(bit_depth, int) and not isinstance(bit_depth, bool))
    if not valid or not (bit_depth is None or 1 <= bit_depth <= 16):
        raise ValueError(f"`bit_depth` must be an integer from 1 to 16; got {bit_depth!r}")


def scale_to_bytes(values: np.ndarray, bit_depth: int | None, what: str) -> np.ndarray:
    """Scales integers of up to 16 bits to 0..255.

    Args:
        values: Of any shape, 0..65535.
        bit_depth: How many bits count. `None` takes 16 where the values need more than 14.
        what: How messages call the picture.

    Returns:
        The same shape, uint8.

    Raises:
        InvalidImageError: The depth is unknown and the values look like fewer than 16 bits, or they need more bits
            than the depth says.

    Example:

    >>> scale_to_bytes(np.array([0, 4095], np.uint16), 12, "scan.png")
    array([  0, 255], dtype=uint8)
    """
    high = int(values.max(initial=0))
    needed = next(depth for depth in DEPTHS if high < 2**depth)
    if bit_depth is None:
        if high > 0 and needed < 16:
            raise InvalidImageError(
                f"{what} has 16 bits a channel but no value above {high}, as pictures of {needed} bits do; say how "
                f"many bits count with bit_depth={needed} (--bit-depth {needed}), or 16 if it really is that dark"
            )
        bit_depth = 16
    if high >= 2**bit_depth:
        raise InvalidImageError(
            f"{what} has values up to {high}, which do not fit into the {bit_depth} bits that were named; use "
            f"bit_depth={needed} (--bit-depth {needed})"
        )
    return np.rint(values * np.float32(255 / (2**bit_depth - 1))).astype(np.uint8, order="C")


def depth_assumption(depth: int) -> str:
    """Says how values of 16 bits were read.

    Args:
        depth: How many of the bits count.

    Returns:
        The predicate of a sentence about the picture.

    Example:

    >>> depth_assumption(12)
    'has 16 bits a channel, of which 12 count'
    """
    return f"has 16 bits a channel, of which {depth} count"


def stated_bits(image: Image.Image) -> int | None:
    """Reads how many bits of a 16-bit picture count from the file itself.

    Args:
        image: A picture that was opened from a file.

    Returns:
        The number that PNG's chunk `sBIT` or TIFF's tag `MaxSampleValue` states; `None` without one.
    """
    if image.format == "PNG" and image.fp is not None:  # which Pillow drops when it decodes
        content = _significant_bits(image)
        return max(content) if content and 8 < max(content) <= 16 else None
    maximum = getattr(image, "tag_v2", {}).get(_TIFF_MAXIMUM)
    maximum = max(maximum) if isinstance(maximum, tuple) else maximum
    return int(maximum).bit_length() if maximum and 255 < maximum < 65535 else None


def is_deep_colour(image: Image.Image) -> bool:
    """Returns True if a colour picture has 16 bits a channel, of which Pillow keeps the upper 8.

    Args:
        image: A picture that was opened from a file and is not decoded yet.
    """
    if image.mode not in ("RGB", "RGBA", "LA"):
        return False
    if image.format == "TIFF":
        return max(image.tag_v2.get(_TIFF_BITS, (8,))) == 16
    return any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def deep_colours(content: bytes, formats: list[str]) -> np.ndarray | None:
    """Decodes all 16 bits of a colour picture.

    Args:
        content: The file.
        formats: The formats to try, by Pillow's names.

    Returns:
        `(H, W, channels)`, uint16; `None` for a layout whose lower bits Pillow cannot deliver.
    """
    with Image.open(io.BytesIO(content), formats=formats) as image:
        high = np.asarray(image).astype(np.uint16)
    with Image.open(io.BytesIO(content), formats=formats) as image:
        # Read as if the bytes of every value stood the other way round, its "upper" 8 bits are the lower ones.
        swapped = [_with_swapped_bytes(tile) for tile in image.tile]
        if None in swapped:
            return None
        image.tile = swapped
        low = np.asarray(image).astype(np.uint16)
    return high << 8 | low


def _with_swapped_bytes(tile: tuple) -> tuple | None:
    *place, arguments = tile
    mode = arguments[0] if isinstance(arguments, tuple) else arguments
    channels, _, order = mode.partition(";16")
    if channels not in ("RGB", "RGBA") or order not in _OTHER_ORDER:
        return None
    other = f"{channels};16{_OTHER_ORDER[order]}"
    swapped = (other, *arguments[1:]) if isinstance(arguments, tuple) else other
    # Before Pillow 11 a tile is a plain tuple.
    return tile._replace(args=swapped) if hasattr(tile, "_replace") else (*place, swapped)


def _significant_bits(image: Image.Image) -> bytes:
    """The content of a PNG file's chunk `sBIT`, which Pillow does not expose."""
    position = image.fp.tell()
    try:
        return next((content for kind, content in _png_header(image.fp) if kind == b"sBIT"), b"")
    finally:
        image.fp.seek(position)


def _png_header(file: io.BufferedIOBase) -> Iterator[tuple[bytes, bytes]]:
    """The chunks before the pixels."""
    file.seek(_PNG_SIGNATURE)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IDAT":
            return
        yield kind, file.read(length)
        file.seek(4, io.SEEK_CUR)  # checksum
