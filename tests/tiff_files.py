"""TIFF files with bands that Pillow does not write."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

_SHORT, _LONG = 3, 4


def write_bands(path: Path, values: np.ndarray) -> None:
    """Writes bands of which nothing says what those behind grey or behind red, green and blue are.

    The test is skipped where this version of Pillow does not read such files.

    Args:
        path: The file.
        values: `(H, W, bands)`, uint8; from four bands on the first three are red, green and blue.
    """
    height, width, bands = values.shape
    coloured = bands > 3
    extra = bands - (3 if coloured else 1)
    tags = {256: [width], 257: [height], 258: [8] * bands, 259: [1], 262: [2 if coloured else 1], 273: [0]}
    tags |= {277: [bands], 278: [height], 279: [values.size], 284: [1], 338: [0] * extra}
    start = 8 + 2 + 12 * len(tags) + 4  # of what is longer than four bytes, and then of the pixels
    long = {tag: struct.pack(f"<{len(each)}H", *each) for tag, each in tags.items() if len(each) > 2}
    tags[273] = [start + sum(map(len, long.values()))]
    entries = b""
    for tag, numbers in tags.items():
        if tag in long:
            entries += struct.pack("<HHII", tag, _SHORT, len(numbers), start)
            start += len(long[tag])
        elif len(numbers) == 2:
            entries += struct.pack("<HHIHH", tag, _SHORT, 2, *numbers)
        else:
            entries += struct.pack("<HHII", tag, _LONG if tag in (273, 279) else _SHORT, 1, *numbers)
    header = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    path.write_bytes(header + entries + bytes(4) + b"".join(long.values()) + values.tobytes())
    try:
        Image.open(path).close()
    except PIL.UnidentifiedImageError:
        pytest.skip(f"Pillow {PIL.__version__} does not read TIFF files of {bands} bands")
