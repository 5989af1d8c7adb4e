"""What mask files of all kinds hold, and which of them are refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_segformer.data.mask_pixels import read_mask_pixels
from keras_segformer.errors import InvalidDatasetError
from tiff_files import write_bands

INDICES = np.array([[0, 0, 1, 1], [2, 2, 1, 0], [0, 1, 2, 2]], np.uint8)
COLOURS = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255)], np.uint8)[INDICES]
TURNED = Image.Exif()
TURNED[0x0112] = 6


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def packed_png(bits: int, transparent: int | None = None) -> bytes:
    """A grey PNG of fewer than 8 bits, which Pillow does not write, with a value that is transparent."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b""
    for row in np.minimum(INDICES, 2**bits - 1):
        digits = "".join(format(value, f"0{bits}b") for value in row)
        digits += "0" * (-len(digits) % 8)
        rows += b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big")
    header = struct.pack(">IIBBBBB", INDICES.shape[1], INDICES.shape[0], bits, 0, 0, 0, 0)
    hidden = b"" if transparent is None else chunk(b"tRNS", struct.pack(">H", transparent))
    chunks = chunk(b"IHDR", header) + hidden + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(INDICES)),
        encoded(Image.fromarray(INDICES), "BMP"),
        encoded(Image.fromarray(INDICES), "TIFF", compression="tiff_lzw"),
        encoded(Image.fromarray(INDICES.astype(np.uint16))),
        encoded(Image.fromarray(INDICES.astype(np.int32)), "TIFF"),
        encoded(Image.fromarray(INDICES.astype(np.float32)), "TIFF"),
        encoded(Image.frombytes("I;16B", (4, 3), INDICES.astype(">u2").tobytes()), "TIFF"),
        packed_png(2),
        packed_png(4),
    ],
)
def test_grey_values(data):
    pixels = read_mask_pixels(data)
    assert pixels.kind == "grey"
    np.testing.assert_array_equal(pixels.codes[pixels.positions()], INDICES)


@pytest.mark.parametrize(("bits", "step"), [(1, 255), (2, 85), (4, 17)])
def test_grey_of_few_bits_spans_black_to_white(bits, step):
    pixels = read_mask_pixels(packed_png(bits))
    expected = np.minimum(INDICES, 2**bits - 1)
    np.testing.assert_array_equal(pixels.codes[pixels.positions()], expected)
    np.testing.assert_array_equal(pixels.grey_levels[pixels.positions()], expected.astype(int) * step)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("transparent", [0, 1])
def test_a_transparent_value_of_few_bits(bits, transparent):
    pixels = read_mask_pixels(packed_png(bits, transparent))
    np.testing.assert_array_equal(pixels.positions() < 0, np.minimum(INDICES, 2**bits - 1) == transparent)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.fromarray(COLOURS)),
        encoded(Image.fromarray(COLOURS), "BMP"),
        encoded(Image.fromarray(COLOURS), "TIFF", compression="tiff_deflate"),
        encoded(Image.fromarray(COLOURS).quantize(8), "GIF"),
    ],
)
def test_colours(data):
    pixels = read_mask_pixels(data)
    np.testing.assert_array_equal(pixels.colours[pixels.positions()], COLOURS)


@pytest.mark.parametrize("transparent", [[0, 0, 1, 1], [1, 1, 1, 1]])
def test_transparent_pixels(transparent):
    alpha = np.repeat([np.where(transparent, 0, 255).astype(np.uint8)], 3, axis=0)
    for image in (np.dstack([COLOURS, alpha]), np.dstack([INDICES, alpha])):
        pixels = read_mask_pixels(encoded(Image.fromarray(image)))
        np.testing.assert_array_equal(pixels.positions() < 0, alpha == 0)
        assert pixels.transparent == np.count_nonzero(alpha == 0)


def test_negative_values_are_not_transparent():
    pixels = read_mask_pixels(encoded(Image.fromarray(INDICES.astype(np.int32) - 1), "TIFF"))
    assert pixels.codes.tolist() == [-1, 0, 1]
    assert pixels.transparent == 0
    hidden = np.zeros(INDICES.shape, bool)
    hidden[0] = True
    assert pixels.without(hidden).codes.tolist() == [-1, 0, 1]
    assert pixels.without(hidden).transparent == 4


@pytest.mark.parametrize(
    ("dtype", "value", "text", "is_hidden"),
    [
        (np.int32, -9999, "-9999", True),
        (np.uint16, 65535, "65535", True),
        (np.float32, np.nan, "nan", True),
        (np.float32, -3.5, "-3.5", True),
        (np.uint16, 7, "7", False),
        (np.uint16, 0, "0", False),
        (np.int32, -9999, None, False),
        (np.int32, -9999, "-1", False),
        (np.int32, -9999, "none", False),
    ],
)
def test_values_without_data(dtype, value, text, is_hidden):
    """GDAL's tag tells which value they have; what may be a class stays one."""
    values = INDICES.astype(dtype)
    values[0] = value
    data = encoded(Image.fromarray(values), "TIFF", tiffinfo={42113: text} if text else {})
    pixels = read_mask_pixels(data)
    assert pixels.transparent == (4 if is_hidden else 0)
    assert pixels.codes.tolist() == ([0, 1, 2] if is_hidden else sorted({0, 1, 2, value}))
    np.testing.assert_array_equal(pixels.positions()[0], [-1 if is_hidden else pixels.codes.tolist().index(value)] * 4)


@pytest.mark.parametrize("bands", [2, 4])
def test_files_with_other_bands_are_refused(bands, tmp_path):
    write_bands(tmp_path / "a.tif", np.zeros((5, 7, bands), np.uint8))
    with pytest.raises(InvalidDatasetError, match=f"has {bands} bands; save the one that holds the classes"):
        read_mask_pixels((tmp_path / "a.tif").read_bytes())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cannot be read"),
        (b"<svg/>", "cannot be read"),
        (encoded(Image.fromarray(INDICES))[:-20], "cannot be read"),
        (encoded(Image.fromarray(INDICES), "JPEG"), "is a JPEG file; save masks as PNG"),
        (encoded(Image.fromarray(COLOURS), "WEBP", lossless=True), "is a WEBP file; save masks as PNG"),
        (encoded(Image.fromarray(COLOURS), "TIFF", compression="jpeg"), "lossy compression; save masks as PNG"),
        (encoded(Image.fromarray(COLOURS).convert("CMYK"), "TIFF"), "mode CMYK; save it as grey, palette or RGB PNG"),
        (encoded(Image.fromarray(INDICES + np.float32(0.5)), "TIFF"), "the value 0.5, which is not a class index"),
        (encoded(Image.fromarray(INDICES * np.float32(np.nan)), "TIFF"), "the value nan, which is not a class index"),
        (encoded(Image.fromarray(INDICES), exif=TURNED), "stored turned"),
        (encoded(Image.fromarray(INDICES), "TIFF", exif=TURNED), "stored turned"),
        *(
            (
                encoded(Image.fromarray(COLOURS), kind, save_all=True, append_images=[Image.fromarray(COLOURS[::-1])]),
                "has 2 frames",
            )
            for kind in ("PNG", "GIF", "TIFF")
        ),
    ],
)
def test_refused(data, message):
    with pytest.raises(InvalidDatasetError, match=message):
        read_mask_pixels(data)
