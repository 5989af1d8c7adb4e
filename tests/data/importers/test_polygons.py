"""The rules by which polygons are filled."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools import mask

from keras_segformer.data.importers.polygons import draw_polygon, rotate
from keras_segformer.errors import InvalidDatasetError


def polygons(count=50):
    generator = np.random.default_rng(0)
    for _ in range(count):
        size = tuple(generator.integers(5, 40, 2).tolist())
        yield size, generator.uniform(0, size[::-1], (generator.integers(3, 9), 2))


def test_coco_is_what_pycocotools_fills():
    for size, corners in polygons():
        expected = mask.decode(mask.frPyObjects([corners.ravel().tolist()], *size))[..., 0]
        np.testing.assert_array_equal(draw_polygon(corners, size, "coco"), expected)


def test_pil_is_what_pillow_fills_with_an_outline():
    for size, corners in polygons():
        canvas = Image.new("L", size[::-1])
        ImageDraw.Draw(canvas).polygon(list(map(tuple, corners)), outline=1, fill=1)
        np.testing.assert_array_equal(draw_polygon(corners, size, "pil"), np.asarray(canvas))


def test_opencv_is_what_opencv_fills():
    cv2 = pytest.importorskip("cv2")
    for size, corners in polygons(500):
        corners = np.floor(corners)
        canvas = np.zeros(size, np.uint8)
        cv2.fillPoly(canvas, [corners.astype(np.int32)], 1)
        np.testing.assert_array_equal(draw_polygon(corners, size, "opencv"), canvas)


def test_opencv_as_it_was_seen():
    # From cv2.fillPoly, OpenCV 4.12 and 5.0.
    corners = np.array([[11, 10], [6, 2], [7, 2]], float)
    assert np.argwhere(draw_polygon(corners, (12, 12), "opencv")).tolist() == [
        [2, 6], [2, 7], [3, 7], [4, 7], [4, 8], [5, 8], [6, 8], [6, 9], [7, 9], [8, 10], [9, 10], [10, 11],
    ]  # fmt: skip


@pytest.mark.parametrize(("rule", "pixels"), [("coco", 4), ("pil", 9), ("opencv", 9)])
def test_whether_the_outline_counts(rule, pixels):
    assert draw_polygon(np.array([[1, 1], [3, 1], [3, 3], [1, 3]]), (6, 6), rule).sum() == pixels


@pytest.mark.parametrize("rule", ["coco", "pil", "opencv"])
def test_corners_far_outside(rule):
    corners = np.array([[-1e12, -1e12], [1e12, -1e12], [1e12, 1e12], [-1e12, 1e12]])
    assert draw_polygon(corners, (20, 30), rule).all()


@pytest.mark.parametrize(
    ("corners", "size", "why"),
    [
        ([[0, 0], [1, 1]], (5, 5), "2 corners"),
        ([[0, 0], [1, 1], [np.inf, 2]], (5, 5), "finite"),
        ([], (5, 5), "0 corners"),
        ([[0, 0], [1, 1], [2, 0]], (10**6, 10**6), "size"),
        ([[0, 0], [1, 1], [2, 0]], (0, 5), "size"),
    ],
)
def test_what_cannot_be_drawn(corners, size, why):
    with pytest.raises(InvalidDatasetError, match=why):
        draw_polygon(np.array(corners), size, "coco")


def test_rotation_is_clockwise():
    np.testing.assert_allclose(rotate(np.array([[2.0, 1.0]]), 90, (1, 1)), [[1, 2]], atol=1e-12)
