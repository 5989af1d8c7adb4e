"""Reading images: every mode and format, orientation, arrays, and bad input."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from keras_segformer.errors import InvalidImageError
from keras_segformer.image_formats import readable_suffixes, set_max_image_pixels
from keras_segformer.images import find_images, list_images, load_image, read_image
from tiff_files import write_bands

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
DEEP_GREY = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)

ORIENTATION_TAG = 0x0112
# How the stored pixels must be turned for each EXIF orientation, which names the sides that row 0 and column 0 show.
UPRIGHT = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: np.swapaxes(stored, 0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.swapaxes(np.rot90(stored, 2), 0, 1),
    8: lambda stored: np.rot90(stored, 1),
}


def three(grey: np.ndarray) -> np.ndarray:
    """Grey values as RGB."""
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def over_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    weight = alpha[..., np.newaxis] / 255
    return rgb * weight + 255 * (1 - weight)


def assert_image(actual: np.ndarray, expected: np.ndarray, tolerance: float = 0) -> None:
    assert actual.dtype == np.uint8
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual.astype(float), expected, atol=tolerance, rtol=0)


def palette_image() -> Image.Image:
    """Four colours, used in turn."""
    image = Image.fromarray(np.arange(35, dtype=np.uint8).reshape(5, 7) % 4).convert("L")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7])
    return image


PALETTE_COLORS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 8, 7]])[np.arange(35).reshape(5, 7) % 4]


# --- Files


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm", ".webp"])
def test_rgb_files(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    Image.fromarray(RGB).save(path, lossless=True)
    assert_image(load_image(path), RGB)
    assert_image(load_image(str(path)), RGB)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm", ".jp2"])
def test_grey_files(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    Image.fromarray(GREY).save(path)
    assert_image(load_image(path), three(GREY))


def test_one_bit_files(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(GREY > 127).save(path)
    with Image.open(path) as image:
        assert image.mode == "1"
    assert_image(load_image(path), three(np.where(GREY > 127, 255, 0)))


def test_grey_with_alpha(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(np.stack([GREY, ALPHA], axis=-1)).save(path)
    with Image.open(path) as image:
        assert image.mode == "LA"
    assert_image(load_image(path), over_white(three(GREY), ALPHA), tolerance=1)


@pytest.mark.parametrize(("suffix", "alpha"), [(".png", ALPHA), (".webp", ALPHA), (".tif", ALPHA // 128 * 255)])
def test_rgba_is_laid_over_white(tmp_path, suffix, alpha):
    path = tmp_path / f"image{suffix}"
    Image.fromarray(np.dstack([RGB, alpha])).save(path, lossless=True, exact=True)
    assert_image(load_image(path), over_white(RGB, alpha), tolerance=1)


def test_the_color_under_full_transparency_is_not_seen():
    image = np.dstack([RGB, np.zeros_like(ALPHA)])
    assert_image(load_image(Image.fromarray(image)), np.full_like(RGB, 255))
    assert_image(load_image(image), np.full_like(RGB, 255))


def test_opaque_rgba_is_unchanged():
    assert_image(load_image(Image.fromarray(np.dstack([RGB, np.full_like(ALPHA, 255)]))), RGB)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".bmp", ".tif"])
def test_palette_files(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    palette_image().save(path)
    with Image.open(path) as image:
        assert image.mode == "P"
    assert_image(load_image(path), PALETTE_COLORS)


@pytest.mark.parametrize(
    ("transparency", "alphas"), [(1, [255, 0, 255, 255]), (bytes([255, 128, 0, 64]), [255, 128, 0, 64])]
)
def test_palette_files_with_transparency(tmp_path, transparency, alphas):
    path = tmp_path / "image.png"
    palette_image().save(path, transparency=transparency)
    alpha = np.array(alphas)[np.arange(35).reshape(5, 7) % 4]
    assert_image(load_image(path), over_white(PALETTE_COLORS, alpha), tolerance=1)


def test_rgb_file_with_a_transparent_color(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(RGB).save(path, transparency=tuple(RGB[0, 0].tolist()))
    expected = RGB.copy()
    expected[0, 0] = 255
    assert_image(load_image(path), expected)


def test_cmyk_file(tmp_path):
    path = tmp_path / "image.tif"
    image = Image.fromarray(RGB).convert("CMYK")
    image.save(path)
    inks = np.asarray(image).astype(float)
    assert_image(load_image(path), (255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255, tolerance=1)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpeg_files(tmp_path, mode):
    """Also CMYK, which JPEG files store inverted."""
    path = tmp_path / "image.jpg"
    Image.new("RGB", (16, 8), (200, 120, 40)).convert(mode).save(path, quality=95)
    expected = np.full((8, 16, 3), 135 if mode == "L" else (200, 120, 40))
    assert_image(load_image(path), expected, tolerance=3)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jp2"])
def test_16_bit_grey_files_are_scaled_and_not_clipped(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    Image.fromarray(DEEP_GREY).save(path)
    assert_image(load_image(path), three(np.rint(DEEP_GREY / 257)))


def test_big_endian_16_bit_grey_file(tmp_path):
    path = tmp_path / "image.tif"
    Image.fromarray(DEEP_GREY.astype(">u2")).save(path)
    assert_image(load_image(path), three(np.rint(DEEP_GREY / 257)))


def test_16_bit_grey_file_that_pillow_reads_as_32_bit_integers(tmp_path):
    path = tmp_path / "image.pgm"
    path.write_bytes(b"P5 7 5 65535\n" + DEEP_GREY.astype(">u2").tobytes())
    assert_image(load_image(path), three(np.rint(DEEP_GREY / 257)))


def test_float_file(tmp_path):
    path = tmp_path / "image.tif"
    Image.fromarray(GREY.astype(np.float32) + 0.25).save(path)
    assert_image(load_image(path), three(GREY))


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_first_frame_of_animations(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    frames = [Image.new("RGB", (7, 5), color) for color in ("red", "lime", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    with Image.open(path) as image:
        assert image.n_frames == 3
    assert_image(load_image(path), np.full((5, 7, 3), (255, 0, 0)))


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize(
    ("suffix", "stored"),
    [
        pytest.param(suffix, stored, id=f"{kind}{suffix}")
        for kind, stored in {"rgb": RGB, "grey": GREY, "16-bit grey": DEEP_GREY}.items()
        for suffix in (".png", ".tif", ".webp")
        if (kind, suffix) != ("16-bit grey", ".webp")  # the format has none
    ],
)
def test_exif_orientation(tmp_path, orientation, suffix, stored):
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    path = tmp_path / f"image{suffix}"
    Image.fromarray(stored).save(path, exif=exif, lossless=True)
    grey = np.rint(stored / 257) if stored is DEEP_GREY else stored
    values = stored if stored is RGB else three(grey)
    assert_image(load_image(path), UPRIGHT[orientation](values))


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_of_photographs(tmp_path, orientation):
    """A JPEG file of four coloured quarters, as cameras write it."""
    quarters = np.array([[[250, 0, 0], [0, 250, 0]], [[0, 0, 250], [250, 250, 0]]], dtype=np.uint8)
    stored = quarters.repeat(16, axis=0).repeat(32, axis=1)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    path = tmp_path / "image.jpg"
    Image.fromarray(stored).save(path, exif=exif, quality=100, subsampling=0)
    assert_image(load_image(path), UPRIGHT[orientation](stored), tolerance=4)


def test_an_orientation_that_does_not_exist_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 9
    Image.fromarray(RGB).save(tmp_path / "image.png", exif=exif)
    assert_image(load_image(tmp_path / "image.png"), RGB)


def test_photograph(shared: Path):
    image = load_image(shared / "data/coco_cats_000000039769.png")
    assert image.shape == (480, 640, 3)
    assert 60 < image.mean() < 200


# --- PIL images


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "P"])
def test_color_modes(mode):
    via = Image.new("RGBA" if mode == "RGBa" else "RGB", (7, 5), (200, 120, 40))
    image = via.convert(mode, palette=Image.Palette.ADAPTIVE)
    assert image.mode == mode
    assert_image(load_image(image), np.full((5, 7, 3), (200, 120, 40)), tolerance=4)


@pytest.mark.parametrize("mode", ["L", "LA", "PA", "F"])
def test_grey_modes(mode):
    assert_image(load_image(Image.fromarray(GREY).convert(mode)), three(GREY))


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B"])
def test_16_bit_modes(mode):
    assert_image(load_image(Image.new(mode, (7, 5), 200 * 257)), np.full((5, 7, 3), 200))


def test_pil_image_of_32_bit_integers():
    assert_image(load_image(Image.fromarray(DEEP_GREY.astype(np.int32))), three(np.rint(DEEP_GREY / 257)))


def test_pil_image_is_turned_upright_and_left_as_it_was():
    image = Image.fromarray(RGB)
    image.getexif()[ORIENTATION_TAG] = 6
    assert_image(load_image(image), np.rot90(RGB, -1))
    assert image.size == (7, 5)
    assert image.getexif()[ORIENTATION_TAG] == 6


@pytest.mark.parametrize("value", [-1, 65536, 2**31 - 1])
def test_32_bit_integers_out_of_range(value):
    with pytest.raises(InvalidImageError, match=r"mode I is read as 16-bit grey; scale them to 0\.\.65535"):
        load_image(Image.new("I", (7, 5), value))


def test_closed_pil_image(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "image.png")
    image = Image.open(tmp_path / "image.png")
    image.close()
    with pytest.raises(InvalidImageError, match="the PIL image cannot be read as an image"):
        load_image(image)


def test_pil_image_without_pixels():
    with pytest.raises(InvalidImageError, match=r"the PIL image has no pixels \(shape \(5, 0, 3\)\)"):
        load_image(Image.new("RGB", (0, 5)))


# --- Arrays

SIDES = st.integers(1, 6)


def shapes(channels: tuple[int, ...]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(SIDES, SIDES, st.sampled_from(channels))


@given(hnp.arrays(np.uint8, shapes((3,))))
def test_rgb_arrays_are_copied(array):
    before = array.copy()
    image = load_image(array)
    assert_image(image, before)
    image[...] = 7
    np.testing.assert_array_equal(array, before)


@given(hnp.arrays(np.uint8, st.one_of(st.tuples(SIDES, SIDES), shapes((1,)))))
def test_grey_arrays(array):
    assert_image(load_image(array), three(array.reshape(array.shape[:2])))


@given(hnp.arrays(np.uint8, shapes((4,))))
def test_rgba_arrays_are_laid_over_white(array):
    assert_image(load_image(array), over_white(array[..., :3], array[..., 3]), tolerance=1)


@given(hnp.arrays(st.sampled_from([">i2", "<i4", "i8", "u4", "u8"]), shapes((1, 3)), elements=st.integers(0, 255)))
def test_integer_arrays(array):
    assert_image(load_image(array), np.broadcast_to(array, (*array.shape[:2], 3)))


@given(hnp.arrays(st.sampled_from(["<u2", ">u2"]), shapes((3,)), elements=st.integers(16384, 65535)))
def test_16_bit_arrays_are_scaled(array):
    assert_image(load_image(array), np.rint(array / 257))


@given(hnp.arrays(st.sampled_from(["f2", "f4", ">f4", "f8"]), shapes((3,)), elements=st.floats(2, 255, width=16)))
def test_float_arrays_are_rounded(array):
    assert_image(load_image(array), np.rint(array))


def test_rounding_forgives_the_overshoot_of_interpolation():
    assert_image(load_image(np.array([[-0.4, 255.4]])), three(np.array([[0, 255]])))


def test_arrays_of_any_memory_layout():
    image = load_image(RGB[::-1, ::2].transpose(1, 0, 2))
    assert_image(image, RGB[::-1, ::2].transpose(1, 0, 2))
    assert image.flags.c_contiguous


def test_read_only_arrays():
    array = RGB.copy()
    array.flags.writeable = False
    image = load_image(array)
    assert image.flags.writeable


def test_tensors_that_numpy_can_read():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return RGB

    assert_image(load_image(Tensor()), RGB)


def test_tensors_that_numpy_cannot_read():
    class SymbolicTensor:
        def __array__(self, dtype=None, copy=None):
            raise NotImplementedError("it has no values")

    with pytest.raises(
        InvalidImageError, match=r"cannot be converted to a NumPy array \(it has no values\); convert it"
    ):
        load_image(SymbolicTensor())


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.float32]),
        hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6).filter(
            lambda shape: not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)))
        ),
    )
)
def test_wrong_shapes(array):
    with pytest.raises(InvalidImageError, match=r"must have the shape \(height, width\) or .* channels last"):
        load_image(array)


@given(hnp.arrays(np.uint8, st.sampled_from([(0, 3), (3, 0), (0, 0, 3), (4, 0, 1), (0, 4, 4)])))
def test_arrays_without_pixels(array):
    with pytest.raises(InvalidImageError, match="the image array has no pixels"):
        load_image(array)


@pytest.mark.parametrize("dtype", [bool, np.complex64, object, "U1", "M8[s]", "V3"])
def test_wrong_dtypes(dtype):
    with pytest.raises(InvalidImageError, match=r"must have integer or floating-point values; got .*: convert"):
        load_image(np.zeros((4, 5, 3), dtype=dtype))


@given(
    hnp.arrays(np.float32, shapes((1, 3, 4)), elements=st.floats(2, 255, width=32)),
    st.sampled_from([np.nan, np.inf, -np.inf]),
    st.data(),
)
def test_values_that_are_not_finite(array, value, data):
    array.flat[data.draw(st.integers(0, array.size - 1))] = value
    with pytest.raises(InvalidImageError, match="has NaN or infinite values; replace them"):
        load_image(array)


@given(
    hnp.arrays(st.sampled_from([np.int16, np.int64, np.uint32, np.float64]), shapes((1, 3)), fill=st.just(9)),
    st.one_of(st.integers(256, 10**4), st.integers(-(10**4), -1)),
    st.data(),
)
def test_values_out_of_range(array, value, data):
    array[...] = 9
    array.flat[data.draw(st.integers(0, array.size - 1))] = abs(value) + 256 if array.dtype == np.uint32 else value
    with pytest.raises(InvalidImageError, match=r"must have values in 0\.\.255; got .*: rescale or clip them"):
        load_image(array)


@pytest.mark.parametrize("source", [b"\x89PNG", [[0, 1], [2, 3]], None, 7, {"image": 1}])
def test_sources_of_other_types(source):
    with pytest.raises(InvalidImageError, match="an image is a path, a PIL image or an array; got"):
        load_image(source)


# --- Warnings about the scale


def test_floats_from_0_to_1_are_suspicious():
    with pytest.warns(UserWarning, match=r"read on the scale 0\.\.255, but its largest value is .*multiply it by 255"):
        image = load_image(RGB / 255)
    assert image.max() <= 1


@pytest.mark.parametrize(("high", "bits"), [(200, 8), (1000, 10), (4095, 12), (16383, 14)])
def test_16_bits_that_look_like_fewer_are_a_question(tmp_path, high, bits):
    """Arrays, PIL images, files of grey and of colours; the answer brings the full range."""
    grey = np.linspace(0, high, 35).astype(np.uint16).reshape(5, 7)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    (tmp_path / "colour.png").write_bytes(tf.io.encode_png(three(grey)).numpy())
    for source in (grey, Image.fromarray(grey), tmp_path / "grey.png", tmp_path / "colour.png"):
        with pytest.raises(InvalidImageError, match=rf"no value above {high}, .* \(--bit-depth {bits}\), or 16 if"):
            load_image(source)
        image = load_image(source, bit_depth=bits)
        assert_image(image, three(np.rint(grey * (255 / (2**bits - 1)))), tolerance=1)
        assert load_image(source, bit_depth=16).max() == round(high / 257)
        assert any("16 bits a channel" in assumption for assumption in read_image(source, bits).assumptions)


def test_values_above_the_named_depth_are_refused():
    with pytest.raises(InvalidImageError, match=r"do not fit into the 12 bits that were named; use bit_depth=14"):
        load_image(np.full((4, 4), 5000, np.uint16), bit_depth=12)
    with pytest.raises(ValueError, match="`bit_depth` must be an integer from 1 to 16; got 24"):
        load_image(RGB, bit_depth=24)


def test_a_file_may_state_its_depth(tmp_path):
    grey = np.array([[0, 4095]], np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.tif", tiffinfo={281: 4095})
    content = tf.io.encode_png(grey[..., None]).numpy()
    chunk = b"sBIT" + bytes([12])
    stated = struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(content[:33] + stated + content[33:])
    for name in ("a.tif", "a.png"):
        assert load_image(tmp_path / name)[0, :, 0].tolist() == [0, 255]
        assert read_image(tmp_path / name).assumptions == ("has 16 bits a channel, of which 12 count",)


def test_full_colour_of_16_bits(tmp_path):
    deep = RNG.integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    (tmp_path / "a.png").write_bytes(tf.io.encode_png(deep).numpy())
    assert_image(load_image(tmp_path / "a.png"), np.rint(deep / 257))


# --- Transparency


def test_transparent_pixels_are_told(tmp_path):
    alpha = np.where(np.arange(35).reshape(5, 7) < 14, 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([RGB, alpha])).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image.transparent, alpha == 0)
    assert image.assumptions == ("is transparent in 40.0% of its pixels, which are seen over white",)
    assert read_image(np.dstack([RGB, np.full_like(ALPHA, 255)])).transparent is None


def test_a_fourth_band_that_is_no_transparency_is_left_out(tmp_path):
    band = np.linspace(1, 254, 35).astype(np.uint8).reshape(5, 7)
    Image.fromarray(np.dstack([RGB, band])).save(tmp_path / "a.tif")
    with pytest.warns(UserWarning, match=r"a\.tif' has a fourth band .* near infrared; it is left out"):
        assert_image(load_image(tmp_path / "a.tif"), RGB)
    # In other formats, and where most of it is 0 or 255, it is transparency.
    Image.fromarray(np.dstack([RGB, band])).save(tmp_path / "a.png")
    assert_image(load_image(tmp_path / "a.png"), over_white(RGB, band), tolerance=1)


@pytest.mark.parametrize(
    ("bands", "assumed"),
    [
        (2, "has 2 bands, of which only the first is read"),
        (4, "has 4 bands, of which only the first 3 are read"),
        (5, "has 5 bands, of which only the first 3 are read"),
    ],
)
def test_bands_that_are_left_out_are_told(bands, assumed, tmp_path):
    values = RNG.integers(0, 256, (5, 7, bands), np.uint8)
    write_bands(tmp_path / "a.tif", values)
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.pixels[..., 0], values[..., 0])
    assert image.assumptions == (assumed,)


def test_pictures_of_the_field(shared):
    pictures = shared / "field_cases/pictures"
    with pytest.raises(InvalidImageError, match="--bit-depth 12"):
        load_image(pictures / "twelve_bits_in_sixteen.png")
    assert load_image(pictures / "twelve_bits_in_sixteen.png", bit_depth=12).max() == 238
    assert "fourth band" in read_image(pictures / "near_infrared_as_alpha.tif").assumptions[0]
    assert read_image(pictures / "half_transparent.png").transparent[:24].all()
    with pytest.raises(InvalidImageError, match="not an image of a format that is read"):
        load_image(pictures / "postscript_inside.jpg")


def test_the_warning_points_at_the_caller(tmp_path):
    Image.fromarray(np.ones((4, 5), dtype=np.float32)).save(tmp_path / "image.tif")
    for source in (np.ones((4, 5)), Image.new("F", (5, 4), 1), tmp_path / "image.tif"):
        with pytest.warns(UserWarning, match="multiply it by 255") as record:
            load_image(source)
        assert [warning.filename for warning in record] == [__file__]


@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.uint8])
def test_black_images_are_not_suspicious(dtype):
    assert_image(load_image(np.zeros((4, 5, 3), dtype=dtype)), np.zeros((4, 5, 3)))


# --- Bad files


@pytest.mark.parametrize("content", [b"", b"\n", b"not an image\n" * 50, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
def test_files_that_are_no_image(tmp_path, content):
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(InvalidImageError, match=r"image\.png' (is not an image|cannot be read as an image).* save"):
        load_image(path)


def encoded(image_format: str) -> bytes:
    buffer = io.BytesIO()
    smooth = np.linspace(0, 255, 24 * 32 * 3).reshape(24, 32, 3).astype(np.uint8)
    Image.fromarray(smooth).save(buffer, format=image_format)
    return buffer.getvalue()


def load_or_refuse(path: Path) -> np.ndarray | None:
    """The image, or `None` where it was refused with the name of the file."""
    try:
        return load_image(path)
    except InvalidImageError as error:
        return None if str(path) in str(error) else pytest.fail(f"no file name in: {error}")


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_files_cut_short(tmp_path, image_format):
    """Wherever the file ends: an exception with its name, or the whole image where only padding is missing."""
    content = encoded(image_format)
    path = tmp_path / "image"
    refused = 0
    for length in range(0, len(content), max(1, len(content) // 100)):
        path.write_bytes(content[:length])
        image = load_or_refuse(path)
        assert image is None or image.shape == (24, 32, 3)
        refused += image is None
    assert refused > 50


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_files_with_flipped_bytes(tmp_path, image_format):
    rng = np.random.default_rng(1)
    content = np.frombuffer(encoded(image_format), dtype=np.uint8)
    path = tmp_path / "image"
    for _ in range(100):
        spoiled = content.copy()
        spoiled[rng.integers(0, min(len(content), 200), 3)] ^= rng.integers(1, 256, 3, dtype=np.uint8)
        path.write_bytes(spoiled.tobytes())
        image = load_or_refuse(path)
        assert image is None or (image.dtype == np.uint8 and image.shape[2] == 3)


def test_folder(tmp_path):
    with pytest.raises(
        InvalidImageError, match="is a folder; name one image in it, or list its images with find_images"
    ):
        load_image(tmp_path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*none\.png'; check the path"):
        load_image(tmp_path / "none.png")


def test_decompression_bombs_are_refused_by_name(tmp_path, monkeypatch):
    Image.fromarray(RGB).save(tmp_path / "image.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(
        InvalidImageError, match=r"decompression bombs.* --max-image-pixels.* PIL\.Image\.MAX_IMAGE_PIXELS"
    ):
        load_image(tmp_path / "image.png")


def test_pillow_warns_of_large_images(tmp_path, monkeypatch):
    Image.fromarray(RGB).save(tmp_path / "image.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)
    with pytest.warns(Image.DecompressionBombWarning):
        assert_image(load_image(tmp_path / "image.png"), RGB)


def test_the_limit_of_pixels_can_be_raised(tmp_path, monkeypatch):
    Image.fromarray(RGB).save(tmp_path / "image.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    monkeypatch.setenv("KERAS_SEGFORMER_MAX_IMAGE_PIXELS", "35")
    assert_image(load_image(tmp_path / "image.png"), RGB)
    assert Image.MAX_IMAGE_PIXELS == 10
    monkeypatch.setenv("KERAS_SEGFORMER_MAX_IMAGE_PIXELS", "many")
    with pytest.raises(ValueError, match="must be a positive number of pixels; got 'many'"):
        load_image(tmp_path / "image.png")
    monkeypatch.delenv("KERAS_SEGFORMER_MAX_IMAGE_PIXELS")
    set_max_image_pixels(35)
    assert_image(load_image(tmp_path / "image.png"), RGB)
    with pytest.raises(ValueError, match="must be positive"):
        set_max_image_pixels(0)


def test_pipes_and_devices_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(InvalidImageError, match="not a regular file but a pipe or device"):
            load_image(path)


def test_other_programs_are_not_started(tmp_path, monkeypatch):
    """Pillow hands PostScript to Ghostscript, whatever the file's name says."""
    started = []
    monkeypatch.setattr("subprocess.check_call", lambda *command, **_: started.append(command))
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n%%EndComments\nshowpage\n")
    with pytest.raises(InvalidImageError, match="not an image of a format that is read"):
        load_image(path)
    assert started == []


def test_a_missing_plug_in_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_segformer.image_formats.FORMATS", ("PNG",))
    (tmp_path / "photo.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(InvalidImageError, match=r'pip install "keras-segformer\[heif\]"'):
        load_image(tmp_path / "photo.HEIC")


# --- Finding images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "c.webp", "notes.txt", "weights.h5", "sub/d.png", "sub/deep/e.tif", "x.png/f.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("kind", [str, Path])
def test_images_of_a_folder(folder, kind):
    assert find_images(kind(folder)) == [folder / "a.JPG", folder / "b.png", folder / "c.webp"]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("b.png", ["b.png"]),
        ("notes.txt", ["notes.txt"]),
        ("*.png", ["b.png"]),
        ("*", ["a.JPG", "b.png", "c.webp"]),
        ("[ab].*", ["a.JPG", "b.png"]),
        ("sub/*", ["sub/d.png"]),
        ("**/*.png", ["b.png", "sub/d.png", "x.png/f.png"]),
        ("sub/**", ["sub/d.png", "sub/deep/e.tif"]),
    ],
)
def test_images_of_a_pattern(folder, monkeypatch, pattern, names):
    assert find_images(folder / pattern) == [folder / name for name in names]
    monkeypatch.chdir(folder)
    assert find_images(pattern) == [Path(name) for name in names]


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / "scan[1].png").touch()
    assert find_images(tmp_path / "scan[1].png") == [tmp_path / "scan[1].png"]


@pytest.mark.parametrize("pattern", ["none.png", "*.gif", "empty", "none/*"])
def test_no_image_found(folder, pattern):
    (folder / "empty").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"no image found at '.*'; name an image file, a folder that holds some"
    ):
        find_images(folder / pattern)


def test_what_is_not_read_is_listed(folder):
    (folder / ".hidden").touch()
    found = list_images(folder)
    assert list(found.images) == find_images(folder)
    assert found.left_aside == tuple(folder / name for name in ("notes.txt", "sub", "weights.h5", "x.png"))
    assert list_images(folder / "b.png").left_aside == ()


def test_every_found_suffix_is_lower_case_and_has_its_dot():
    suffixes = readable_suffixes()
    assert {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif"} <= suffixes
    assert not {".h5", ".pdf", ".eps", ".txt", ".json"} & suffixes
    assert all(suffix == suffix.lower() and suffix.startswith(os.extsep) for suffix in suffixes)
