"""Which image files are kept, and what becomes of the others."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_segformer.data.image_files import encode_image, image_size
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.images import load_image

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def file(image_format: str, mode: str = "RGB", **options: object) -> bytes:
    image = Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(NOISE)
    buffer = io.BytesIO()
    (image if mode == "I;16" else image.convert(mode)).save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("image_format", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "L"), ("MPO", "RGB")]
)
def test_plain_files_are_kept(image_format, mode):
    data = file(image_format, mode)
    assert encode_image(data).data is data
    assert image_size(data) == (24, 32)


@pytest.mark.parametrize(
    ("image_format", "mode"),
    [("PNG", "I;16"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "LA"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("TIFF", "RGB")],
)
def test_others_become_what_prediction_sees(image_format, mode):
    data = file(image_format, mode)
    encoded = encode_image(data).data
    decoded = tf.io.decode_image(encoded, channels=3, expand_animations=False).numpy()
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(decoded, load_image(image))
    assert image_size(encoded) == (24, 32)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "PNG"])
def test_turned_images_are_refused(image_format):
    exif = Image.Exif()
    exif[0x0112] = 6
    with pytest.raises(InvalidDatasetError, match="stored turned"):
        encode_image(file(image_format, exif=exif))
    exif[0x0112] = 1
    assert image_size(encode_image(file(image_format, exif=exif)).data) == (24, 32)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize(("mask_size", "word"), [((24, 32), "left so"), ((32, 24), "turned upright")])
def test_the_mask_tells_how_a_turned_image_is_meant(image_format, mask_size, word):
    exif = Image.Exif()
    exif[0x0112] = 6
    encoded = encode_image(file(image_format, exif=exif), mask_size)
    assert image_size(encoded.data) == mask_size
    assert word in encoded.assumptions[0]
    exif[0x0112] = 3  # upside down: both ways have one size
    with pytest.raises(InvalidDatasetError, match="nothing says whether its mask is too"):
        encode_image(file(image_format, exif=exif), (24, 32))


def test_transparent_pixels_and_depth_are_told():
    alpha = np.where(np.arange(24) < 12, 0, 255).astype(np.uint8)[:, None].repeat(32, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([NOISE, alpha])).save(buffer, "PNG")
    np.testing.assert_array_equal(encode_image(buffer.getvalue()).transparent, alpha == 0)
    dark = tf.io.encode_png(NOISE.astype(np.uint16) * 16).numpy()
    with pytest.raises(InvalidDatasetError, match=r"^has 16 bits a channel .* \(--bit-depth 12\)"):
        encode_image(dark)
    decoded = tf.io.decode_png(encode_image(dark, bit_depth=12).data).numpy()
    np.testing.assert_array_equal(decoded, np.rint(NOISE * (16 * 255 / 4095)))


@pytest.mark.parametrize(("high", "is_told"), [(1, True), (255, False), (0, False)])
def test_floats_that_look_to_be_on_another_scale_are_told(high, is_told):
    buffer = io.BytesIO()
    Image.fromarray(np.linspace(0, high, 12, dtype=np.float32).reshape(3, 4)).save(buffer, "TIFF")
    told = [
        "is read on the scale 0..255, but its largest value is 1.0; if it is on a smaller scale, multiply it by 255"
    ]
    assert list(encode_image(buffer.getvalue()).assumptions) == (told if is_told else [])


# The last byte of a JPEG file only marks its end: some decoders have all pixels before they miss it.
@pytest.mark.parametrize(
    ("image_format", "missing"), [("JPEG", 20), ("JPEG", 500), ("PNG", 1), ("PNG", 20), ("PNG", 500)]
)
def test_truncated_files_are_refused(image_format, missing):
    with pytest.raises(InvalidDatasetError, match=r"truncated or broken|cannot be read as an image"):
        image_size(encode_image(file(image_format)[:-missing]).data)


def test_a_flipped_bit_is_seen():
    data = bytearray(file("PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(InvalidDatasetError, match="truncated or broken"):
        image_size(encode_image(bytes(data)).data)


@pytest.mark.parametrize("data", [b"", b"<html>", file("PNG")[:40]])
def test_no_images(data):
    with pytest.raises(InvalidDatasetError, match=r"cannot be read as an image|truncated or broken"):
        image_size(encode_image(data).data)
