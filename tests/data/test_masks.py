"""From mask files to class indices."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from keras_segformer.data.mask_pixels import read_mask_pixels
from keras_segformer.data.masks import ANY_VALUES, MaskCoding, decide_readings, describe_readings, encode_mask
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet

PETS = LabelSet("pets", ("cat", "dog"), ((255, 0, 0), (0, 0, 255)))
PETS_CODING = MaskCoding(PETS)
COLOURS = ((255, 255, 255), (0, 0, 0))
RAW = LabelSet("raw", ("cat", "dog"), ((255, 0, 0), (0, 0, 255)), raw_to_train={7: 0, 300: 1, 255: 1})


def png(values: np.ndarray, mode: str | None = None) -> bytes:
    image = Image.fromarray(values)
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, "PNG")
    return buffer.getvalue()


def grey_png(values: np.ndarray, bits: int) -> bytes:
    """A grey PNG of less than 8 bits, which Pillow does not write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    height, width = values.shape
    planes = np.unpackbits(values[..., None].astype(np.uint8), axis=-1)[..., -bits:]  # (H, W, bits)
    rows = np.packbits(planes.reshape(height, -1), axis=1)
    scanlines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(scanlines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_encoded_masks_come_back(mask):
    decoded = ANY_VALUES.read(encode_mask(mask))
    np.testing.assert_array_equal(decoded, mask)
    assert decoded.dtype == np.uint8


@given(
    raw_to_train=st.dictionaries(st.integers(0, 65535), st.integers(0, 4), min_size=1, max_size=20),
    values=hnp.arrays(np.uint16, (3, 4)),
)
def test_every_value_becomes_its_class_or_is_ignored(raw_to_train, values):
    label_set = LabelSet("five", tuple("abcde"), LabelSet.generic(5).palette, raw_to_train=raw_to_train)
    decoded = MaskCoding(label_set, void=None).read(png(values))
    expected = [[raw_to_train.get(value, 255) for value in row] for row in values.tolist()]
    assert decoded.tolist() == expected


@given(hnp.arrays(np.uint8, (3, 4), elements=st.sampled_from([0, 1, 255])))
def test_colours_become_classes_and_black_is_ignored(mask):
    colors = np.vstack([PETS.palette_array, np.zeros((254, 3), np.uint8)])[mask]
    np.testing.assert_array_equal(PETS_CODING.read(png(colors)), mask)
    np.testing.assert_array_equal(PETS_CODING.read(png(colors, "RGBA")), mask)


def test_palette_files_hold_indices_whatever_their_colours():
    image = Image.fromarray(np.array([[0, 1], [1, 255]], np.uint8))
    image.putpalette(bytes(range(255, -1, -1)) * 3)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    decoded = MaskCoding(PETS, frozenset({255})).read(buffer.getvalue())
    assert decoded.tolist() == [[0, 1], [1, 255]]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_of_few_bits_is_not_spread(bits):
    values = np.arange(2**bits, dtype=np.uint8)[None].repeat(3, axis=0)
    np.testing.assert_array_equal(ANY_VALUES.read(grey_png(values, bits)), values)


def test_binary_masks():
    assert MaskCoding(PETS).read(png(np.array([[False, True]]))).tolist() == [[0, 1]]
    binary = LabelSet("binary", ("no", "yes"), ((0, 0, 1), (255, 255, 255)), raw_to_train={0: 0, 255: 1})
    assert MaskCoding(binary).read(png(np.array([[0, 255]], np.uint8))).tolist() == [[0, 1]]


def test_known_void_is_ignored_and_other_values_are_refused():
    coding = MaskCoding(RAW, void=frozenset({0, 9}))
    values = np.array([[7, 300, 255, 0, 9]], np.uint16)
    assert coding.read(png(values)).tolist() == [[0, 1, 1, 255, 255]]
    with pytest.raises(InvalidDatasetError, match=r"^has the value 8, which no class has$"):
        coding.read(png(np.array([[7, 8, 8]], np.uint8)))


def test_long_lists_are_cut():
    with pytest.raises(InvalidDatasetError, match=r"^has the values 2, 3, 4, 5, 6, …, which no class has$"):
        MaskCoding(PETS, frozenset()).read(png(np.arange(20, dtype=np.uint8)[None]))


def test_unknown_colours_are_refused():
    colors = np.array([[[255, 0, 0], [254, 0, 0], [1, 2, 3]]], np.uint8)
    with pytest.raises(InvalidDatasetError, match=r"^has the colours \(1, 2, 3\), \(254, 0, 0\), which no class has$"):
        MaskCoding(PETS).read(png(colors))


def test_coloured_masks_need_colours_that_tell_classes_apart():
    colors = np.full((2, 2, 3), (1, 2, 3), np.uint8)
    with pytest.raises(InvalidDatasetError, match=r"name the classes and their colours in classes\.json"):
        ANY_VALUES.read(png(colors))
    twins = LabelSet("twins", ("a", "b"), ((1, 1, 1), (1, 1, 1)))
    with pytest.raises(InvalidDatasetError, match="some classes share a colour"):
        MaskCoding(twins).read(png(colors))


def test_other_files_are_refused():
    image = Image.fromarray(np.zeros((8, 8), np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    with pytest.raises(InvalidDatasetError, match="is a JPEG file; save masks as PNG"):
        MaskCoding(PETS).read(buffer.getvalue())
    buffer = io.BytesIO()
    image.convert("CMYK").save(buffer, "TIFF")
    with pytest.raises(InvalidDatasetError, match="mode CMYK"):
        MaskCoding(PETS).read(buffer.getvalue())
    deep = tf.io.encode_png(np.zeros((8, 8, 3), np.uint16)).numpy()
    with pytest.raises(InvalidDatasetError, match="16 bits a channel; save it with 8"):
        MaskCoding(PETS).read(deep)


def test_several_frames_are_refused():
    buffer = io.BytesIO()
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (0, 1)]
    frames[0].save(buffer, "TIFF", save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidDatasetError, match="has 2 frames; save the one that is meant"):
        PETS_CODING.read(buffer.getvalue())


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_formats_that_keep_every_value(image_format, mode):
    values = np.array([[0, 1, 1], [0, 0, 1]], np.uint8)
    image = Image.fromarray(values if mode != "RGB" else PETS.palette_array[values])
    if mode == "P":
        image.putpalette(PETS.palette_array.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    assert PETS_CODING.read(buffer.getvalue()).tolist() == values.tolist()


class TestTwoReadings:
    """Files that can be read by values and by colours."""

    VALUES = np.array([[0, 1, 2], [2, 2, 1]], np.uint8)
    THREE = LabelSet("three", ("none", "cat", "dog"), ((0, 0, 0), (255, 0, 0), (0, 0, 255)))
    CODING = MaskCoding(THREE, frozenset({255}))

    @staticmethod
    def palette_png(values: np.ndarray, colours: list[tuple[int, int, int]], **options: object) -> bytes:
        image = Image.fromarray(values)
        image.putpalette(np.array(colours, np.uint8).tobytes())
        buffer = io.BytesIO()
        image.save(buffer, "PNG", **options)
        return buffer.getvalue()

    def test_a_palette_in_another_order(self):
        data = self.palette_png(self.VALUES, [(0, 0, 255), (0, 0, 0), (255, 0, 0)])
        assert self.CODING.read(data).tolist() == [[2, 0, 1], [1, 1, 0]]
        pixels = read_mask_pixels(data)
        [assumption] = describe_readings(decide_readings(self.CODING, [pixels]), [pixels])
        assert "(1) are read by their colours" in assumption
        assert "indices would give other classes" in assumption

    def test_the_data_set_decides_for_each_file(self):
        """Alone, a file of index 0 in the colour of class 1 would be class 1."""
        odd = self.palette_png(np.zeros((2, 2), np.uint8), [(255, 0, 0)])
        others = [self.palette_png(self.VALUES, [(9, 9, 9), (8, 0, 0), (0, 7, 0)])] * 2
        assert self.CODING.read(odd).tolist() == [[1, 1], [1, 1]]
        coding = decide_readings(self.CODING, map(read_mask_pixels, [odd, *others]))
        assert dict(coding.readings) == {"palette": "values"}
        assert coding.read(odd).tolist() == [[0, 0], [0, 0]]

    def test_void_indices_of_a_palette(self):
        colours = [(0, 0, 255), (0, 0, 0)] + [(1, 1, 1)] * 253 + [(224, 224, 192)]
        data = self.palette_png(np.array([[0, 1, 255]], np.uint8), colours)
        assert self.CODING.read(data).tolist() == [[2, 0, 255]]

    def test_equal_red_green_and_blue_are_values(self):
        assert self.CODING.read(png(np.repeat(self.VALUES[..., None], 3, axis=-1))).tolist() == self.VALUES.tolist()
        raw = LabelSet("raw", self.THREE.names, self.THREE.palette, raw_to_train={0: 0, 128: 1, 255: 2})
        grey = np.repeat(np.array([0, 128, 255], np.uint8)[self.VALUES][..., None], 3, axis=-1)
        coding = MaskCoding(raw, frozenset({255}), names_values=True)
        for data in (png(grey), png(grey[..., 0]), png(grey[..., 0], "P"), png(grey, "RGBA")):
            assert coding.read(data).tolist() == self.VALUES.tolist()

    def test_grey_values_that_are_colours(self):
        """0 and 255 of black and white classes; as a value, 255 would be ignored, and white would never occur."""
        ink = LabelSet("ink", ("paper", "ink"), ((255, 255, 255), (0, 0, 0)))
        coding = MaskCoding(ink, frozenset({255}))
        assert coding.read(png(np.array([[0, 255]], np.uint8))).tolist() == [[1, 0]]
        assert coding.read(png(np.array([[0, 1]], np.uint8))).tolist() == [[0, 1]]

    @pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF"])
    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
    @pytest.mark.parametrize("palette", [((255, 255, 255), (0, 0, 0)), ((0, 0, 0), (255, 255, 255))])
    def test_black_and_white_are_the_same_classes_in_every_file(self, image_format, mode, palette):
        coding = MaskCoding(LabelSet("two", ("a", "b"), palette), frozenset({255}))
        white = np.array([[False, True, True]])
        buffer = io.BytesIO()
        Image.fromarray(white * np.uint8(255)).convert(mode).save(buffer, image_format)
        assert coding.read(buffer.getvalue()).tolist() == np.where(white, *map(palette.index, COLOURS)).tolist()

    @pytest.mark.parametrize(
        ("label_set", "is_raw"),
        [
            (LabelSet.generic(2), False),
            (PETS, False),
            (LabelSet("ink", ("paper", "ink"), COLOURS, raw_to_train={0: 0, 1: 1}), True),
            (LabelSet("ink", ("paper", "ink"), COLOURS, raw_to_train={0: 0, 255: 1}), True),
        ],
    )
    def test_values_of_one_bit(self, label_set, is_raw):
        """Where the colours are others, or `raw_to_train` names the values, of one bit or of 8."""
        coding = MaskCoding(label_set, frozenset({255}), names_values=is_raw)
        assert coding.read(png(np.array([[False, True]]))).tolist() == [[0, 1]]

    def test_two_readings_that_fit_are_refused(self):
        swapped = LabelSet("swapped", ("a", "b"), ((1, 1, 1), (0, 0, 0)))
        with pytest.raises(InvalidDatasetError, match=r"grey masks can be read by their values and by their colours"):
            MaskCoding(swapped, frozenset({255})).read(png(np.array([[0, 1]], np.uint8)))

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_transparent_pixels_are_ignored(self, mode):
        """White under full transparency is not an unknown colour, and red is not a cat."""
        if mode == "P":
            data = self.palette_png(self.VALUES, list(self.THREE.palette), transparency=bytes([255, 0, 127]))
            assert self.CODING.read(data).tolist() == [[0, 255, 255], [255, 255, 255]]
            return
        values = np.array([[0, 1, 2]], np.uint8)
        colours = self.THREE.palette_array[values] if mode == "RGBA" else values[..., None]
        colours[0, 1] = 255 if mode == "RGBA" else 77
        alpha = np.array([[255, 0, 128]], np.uint8)
        data = png(np.dstack([colours, alpha]))
        assert self.CODING.read(data).tolist() == [[0, 255, 2]]
        pixels = read_mask_pixels(data)
        assert describe_readings(decide_readings(self.CODING, [pixels]), [pixels]) == [
            "transparent pixels of masks (1), or those without data, are ignored"
        ]

    def test_forgotten_values_are_named(self):
        raw = LabelSet("raw", self.THREE.names, self.THREE.palette, raw_to_train={0: 0, 1: 1, 9: 255})
        coding = MaskCoding(raw, frozenset({255}), names_values=True)
        assert coding.read(png(np.array([[0, 9, 255]], np.uint8))).tolist() == [[0, 255, 255]]
        with pytest.raises(InvalidDatasetError, match=r"has the value 2, .*; name .* in raw_to_train"):
            coding.read(png(self.VALUES))

    def test_hidden_pixels_of_the_picture_are_ignored(self):
        hidden = np.array([[True, False, False], [False, False, True]])
        pixels = read_mask_pixels(png(self.VALUES)).without(hidden)
        assert (pixels.codes.tolist(), pixels.counts.tolist(), pixels.transparent) == ([1, 2], [1, 3], 2)
        assert self.CODING.read(png(self.VALUES), hidden).tolist() == [[255, 1, 2], [2, 2, 255]]


@given(st.integers(0, 100))
def test_truncated_files_are_refused(length):
    data = encode_mask(np.random.default_rng(0).integers(0, 256, (10, 10), dtype=np.uint8))
    with pytest.raises(InvalidDatasetError, match="cannot be read as a PNG"):
        ANY_VALUES.read(data[:length])


def test_classes_must_fit_into_8_bits():
    with pytest.raises(InvalidDatasetError, match="256 classes, but training masks hold at most 255"):
        MaskCoding(LabelSet.generic(256))
