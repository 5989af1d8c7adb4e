"""Reading files in a graph as `load_image` reads them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_segformer.conversion.serving.saved_model_graph import aligned_size, decode_picture, resize_picture
from keras_segformer.images import load_image
from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.sizes import resize_shape

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 40, 4), dtype=np.uint8)


def file_of(image, format, exif=b""):
    content = io.BytesIO()
    image.save(content, format, exif=exif)
    return content.getvalue()


def assert_read_as_by_pillow(content):
    found = decode_picture(tf.constant(content))
    np.testing.assert_array_equal(found, load_image(Image.open(io.BytesIO(content))))


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation, format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_read_as_by_pillow(file_of(Image.fromarray(PIXELS[..., :3]), format, exif))


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",  # of a Motorola
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x09\0\0\0\0\0\0",  # out of range
        b"Exif\0\0II*\0\xff\xff\xff\x7f",  # its directory lies behind its end
        b"Exif\0\0",
    ],
)
def test_strange_exif(exif):
    content = file_of(Image.fromarray(PIXELS[..., :3]), "JPEG", exif)
    found = decode_picture(tf.constant(content))
    assert found.shape == ((40, 24, 3) if b"\x06" in exif else (24, 40, 3))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png(mode):
    assert_read_as_by_pillow(file_of(Image.fromarray(PIXELS).convert(mode), "PNG"))


@pytest.mark.parametrize("transparency", [{}, {"transparency": 1}])
@pytest.mark.parametrize("colors", [2, 4, 16, 256])
def test_png_of_few_colors(colors, transparency):
    content = io.BytesIO()
    Image.fromarray(PIXELS[..., :3]).quantize(colors).save(content, "PNG", **transparency)
    assert content.getvalue()[24] == colors.bit_length() - 1
    assert_read_as_by_pillow(content.getvalue())


def png_of_16_bits(values, significant=b""):
    """A PNG file that states in its chunk `sBIT` how many bits count, if any are given."""
    values = values.reshape(*values.shape[:2], -1)
    height, width, channels = values.shape
    rows = values.astype(">u2").reshape(height, -1).view(np.uint8)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    pixels = zlib.compress(np.pad(rows, ((0, 0), (1, 0))).tobytes())
    chunks = [(b"IHDR", header), *([(b"sBIT", significant)] if significant else []), (b"IDAT", pixels), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_of_16_bits(channels):
    values = np.random.default_rng(0).integers(0, 65536, (24, 40, channels))
    assert_read_as_by_pillow(png_of_16_bits(values))
    assert_read_as_by_pillow(png_of_16_bits(np.zeros((24, 40, channels), int)))


@pytest.mark.parametrize("channels", [1, 3])
def test_png_of_12_bits(channels):
    values = np.random.default_rng(0).integers(0, 4096, (24, 40, channels))
    with pytest.raises(tf.errors.InvalidArgumentError, match="no large value, as pictures of fewer bits"):
        decode_picture(tf.constant(png_of_16_bits(values)))
    assert_read_as_by_pillow(png_of_16_bits(values, significant=bytes([12] * channels)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="above the bits that its chunk sBIT states; send"):
        decode_picture(tf.constant(png_of_16_bits(values, significant=bytes([11] * channels))))


def test_grey_jpeg():
    assert_read_as_by_pillow(file_of(Image.fromarray(PIXELS[..., 0]), "JPEG"))


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", None])
def test_other_files_are_refused(format):
    content = file_of(Image.fromarray(PIXELS[..., :3]), format) if format else b""
    with pytest.raises(tf.errors.InvalidArgumentError, match="no JPEG or PNG file; send the content of one"):
        decode_picture(tf.constant(content))


@pytest.mark.parametrize("length", [8, 20, 200])
def test_damaged_files_are_refused(length):
    content = file_of(Image.fromarray(PIXELS[..., :3]), "PNG")[:length]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid PNG"):
        decode_picture(tf.constant(content))


@pytest.mark.parametrize("size", [(480, 640), (683, 512), (1, 1), (50, 4000), (4000, 3000), (511, 513)])
def test_aligned_size(size):
    assert tuple(aligned_size(tf.constant(size), (512, 512)).numpy()) == resize_shape(size, "aligned", (512, 512))


@pytest.mark.parametrize("size", [(24, 40), (37, 19), (64, 96)])
def test_resize(size):
    found = resize_picture(tf.constant(PIXELS[..., :3]), tf.constant(size))
    np.testing.assert_array_equal(found, resized_rows(PIXELS[..., :3], size))
