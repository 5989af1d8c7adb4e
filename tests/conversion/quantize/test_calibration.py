"""Calibration images."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from keras_segformer.conversion.quantize.calibration import make_calibration
from keras_segformer.errors import InvalidImageError


def test_sets_are_disjoint_and_half_augmented(pictures):
    calibration = make_calibration(list(pictures), (64, 64))
    np.testing.assert_array_equal(calibration.held_out_originals, pictures[::4])
    assert (len(calibration.fitting), len(calibration.held_out)) == (12, 4)
    fitting = {image.tobytes() for image in calibration.fitting}
    assert not fitting & {image.tobytes() for image in calibration.held_out}
    assert len(fitting) == 12
    assert calibration.fitting.dtype == np.uint8


def test_copies_count_once(pictures):
    twice = make_calibration([each for each in pictures for _ in range(2)], (64, 64))
    once = make_calibration(list(pictures), (64, 64))
    for name in ("fitting", "held_out", "unlikely"):
        np.testing.assert_array_equal(getattr(twice, name), getattr(once, name))
    assert twice.held_out_names == ("calibration image 0", "calibration image 8")


def test_augmented_images_are_of_all_kinds(pictures):
    """As many as there are, the second half of the images to fit to has inverted, noisy, blurred and small ones too."""
    images = list(np.concatenate([pictures, pictures[:3, ::-1]]))
    fitting = make_calibration(images, (64, 64)).fitting
    originals, altered = fitting[:8], fitting[8:]
    np.testing.assert_array_equal(altered[4], 255 - originals[4])
    assert np.std(np.diff(altered[5].astype(int), axis=1)) > np.std(np.diff(originals[5].astype(int), axis=1))
    assert np.std(np.diff(altered[6].astype(int), axis=1)) <= np.std(np.diff(originals[6].astype(int), axis=1))
    np.testing.assert_array_equal(altered[7][:32, :32], originals[7][::2, ::2])


@pytest.mark.parametrize("count", [4, 17])
def test_unlikely_images_are_of_each_kind_and_of_what_is_held_out(pictures, count):
    calibration = make_calibration([*pictures, *pictures[:, ::-1], *pictures[:, :, ::-1]][:count], (64, 64))
    assert len(calibration.unlikely) == 4
    np.testing.assert_array_equal(calibration.unlikely[0], 255 - calibration.held_out[0])
    last = calibration.held_out_originals[3 % len(calibration.held_out_originals)]
    np.testing.assert_array_equal(calibration.unlikely[3, :32, :32], last[::2, ::2])


def test_names(pictures, tmp_path):
    paths = [tmp_path / f"{index}.png" for index in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture).save(path)
    from_files, from_arrays = (make_calibration(images, (64, 64)) for images in (paths, pictures))
    np.testing.assert_array_equal(from_files.held_out, from_arrays.held_out)
    assert from_files.held_out_names[:2] == ("0.png", "4.png")
    assert from_arrays.held_out_names[:2] == ("calibration image 0", "calibration image 4")


def test_bit_depth(pictures, tmp_path):
    paths = [tmp_path / f"{index}.png" for index in range(len(pictures))]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture[..., 0].astype(np.uint16) * 16).save(path)
    with pytest.raises(InvalidImageError, match="--bit-depth 12"):
        make_calibration(paths, (64, 64))
    scaled = np.rint(pictures[0][..., 0] * np.float32(16 * 255 / 4095)).astype(np.uint8)
    np.testing.assert_array_equal(make_calibration(paths, (64, 64), bit_depth=12).held_out[0, ..., 0], scaled)


@pytest.mark.parametrize(
    ("size", "expected"), [((96, 64), (96, 64)), ((512, 256), (352, 192)), ((1024, 32), (1024, 32))]
)
def test_images_for_the_search_are_small(pictures, size, expected):
    calibration = make_calibration(list(pictures), size)
    small = calibration.for_search()
    assert small.size == small.held_out.shape[1:3] == small.unlikely.shape[1:3] == expected
    assert (len(small.fitting), len(small.held_out)) == (len(calibration.fitting), len(calibration.held_out))
    assert small.held_out_names == calibration.held_out_names


def test_any_size(pictures):
    calibration = make_calibration([image[: 20 + index, :50] for index, image in enumerate(pictures)], (32, 96))
    assert calibration.fitting.shape == (12, 32, 96, 3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "There are 0 calibration images; pass at least 4"),
        ([np.zeros((8, 8, 3), np.uint8)] * 3, "There are 3"),
        ([np.zeros((8, 8), np.uint8)] * 8, r"must be \(H, W, 3\)"),
        ([np.zeros((8, 8, 3), np.float32)] * 8, "uint8, RGB"),
        ([np.full((8, 8, 3), value, np.uint8) for value in range(8)], "Only 0 of the 8 calibration images can be used"),
        ([np.arange(192, dtype=np.uint8).reshape(8, 8, 3)] * 8, "Only 1 of the 8"),
    ],
)
def test_unusable_images(images, message):
    with pytest.raises(ValueError, match=message):
        make_calibration(images, (32, 32))


def test_what_is_no_collection_of_images_is_named(pictures, tmp_path):
    for images, what in ((str(tmp_path), "the path '"), (tmp_path, "the path '"), (lambda: pictures, "a function")):
        with pytest.raises(ValueError, match=f"The calibration images are {what}.*find_images"):
            make_calibration(images, (64, 64))
    with pytest.raises(ValueError, match="is a tuple of 2; pass the pictures alone, without masks"):
        make_calibration([(each, each[..., 0]) for each in pictures], (64, 64))
