"""Draws polygons and other outlines as masks, by the rules of the tools that they come from.

The rules differ by about half the length of the outline:

- `coco`: corners are positions on the image plane; the outline is sampled five times as finely and does not count by
  itself (pycocotools, and with it CVAT and datumaro);
- `pil`: corners are pixels, and the outline counts (`PIL.ImageDraw`, and with it labelme and Cityscapes);
- `opencv`: corners are whole pixels, and the outline counts (`cv2.fillPoly`, and with it Supervisely and Ultralytics).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageDraw

from keras_segformer.errors import InvalidDatasetError, MissingExtraError

Size = tuple[int, int]
"""Height and width in pixels."""

MAX_PIXELS = 2 * 89_478_485
"""The largest canvas, that of Pillow's guard against decompression bombs."""

_FAR = 2**31
_ELLIPSE_CORNERS = 720  # as many as datumaro takes


def draw_polygon(corners: np.ndarray, size: Size, rule: str) -> np.ndarray:
    """Fills a polygon.

    Args:
        corners: `(n, 2)`, float: x and y in pixels from the left and the top; the last is joined to the first.
        size: Height and width of the picture.
        rule: One of `POLYGON_RULES`.

    Returns:
        A mask `(H, W)`, bool.

    Raises:
        InvalidDatasetError: There are fewer than three corners, or some are not finite. The message is the predicate
            of a sentence about the polygon.

    Example:

    >>> square = np.array([[0, 0], [2, 0], [2, 2], [0, 2]], float)
    >>> int(draw_polygon(square, (5, 5), "coco").sum()), int(draw_polygon(square, (5, 5), "pil").sum())
    (4, 9)
    """
    check_size(size)
    corners = check_points(corners, at_least=3)
    # Coordinates far outside would overflow the 32-bit integers of the rasterisers.
    limit = 8 * max(size) + 8
    return POLYGON_RULES[rule](np.clip(corners, -limit, limit), size)


def draw_with_pillow(size: Size, draw: Callable[[ImageDraw.ImageDraw], None]) -> np.ndarray:
    """Lets a function draw with the value 1, and returns the mask `(H, W)`, bool."""
    check_size(size)
    canvas = Image.new("L", (size[1], size[0]))
    draw(ImageDraw.Draw(canvas))
    return np.asarray(canvas, bool)


def check_size(size: Size) -> None:
    """Refuses canvases that are empty or too large, which only broken or hostile files require.

    Raises:
        InvalidDatasetError: The canvas is empty or too large. The message is the predicate of a sentence about the
            label.
    """
    height, width = size
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise InvalidDatasetError(f"has a size of {width}x{height} pixels, which no picture here may have")


def check_points(points: Sequence[Sequence[float]] | np.ndarray, at_least: int) -> np.ndarray:
    """Points as an array.

    Args:
        points: Pairs of x and y.
        at_least: How many there must be.

    Returns:
        `(n, 2)`, float64.

    Raises:
        InvalidDatasetError: There are fewer, or they are not pairs of finite numbers.
    """
    try:
        array = np.asarray(points, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidDatasetError("has corners that are not pairs of numbers") from error
    if array.size == 0:
        array = array.reshape(0, 2)
    if array.ndim != 2 or array.shape[1] != 2 or not np.isfinite(array).all():
        raise InvalidDatasetError("has corners that are not pairs of finite numbers")
    if len(array) < at_least:
        raise InvalidDatasetError(f"has {len(array)} corners instead of {at_least} or more")
    return array


def whole_points(points: np.ndarray) -> np.ndarray:
    """Points `(n, 2)` as the nearest pixels, int64; those too far away to be in any picture are moved nearer."""
    return np.rint(np.clip(points, -_FAR, _FAR)).astype(np.int64)


def box_corners(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The four corners of a box, clockwise, `(4, 2)`."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def ellipse_corners(center: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    """A polygon of 720 corners on an ellipse, `(720, 2)`."""
    angles = np.arange(_ELLIPSE_CORNERS) * (2 * math.pi / _ELLIPSE_CORNERS)
    return np.stack([center[0] + radii[0] * np.cos(angles), center[1] + radii[1] * np.sin(angles)], axis=1)


def rotate(points: np.ndarray, degrees: float, center: tuple[float, float]) -> np.ndarray:
    """Turns points `(n, 2)` clockwise, as seen in a picture, about a centre."""
    angle = math.radians(degrees)
    x, y = (points - center).T
    turned = [x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)]
    return np.stack(turned, axis=1) + center


def _fill_coco(corners: np.ndarray, size: Size) -> np.ndarray:
    try:
        from pycocotools import mask
    except ImportError as error:
        raise MissingExtraError("pycocotools", "data") from error
    return mask.decode(mask.frPyObjects([corners.ravel().tolist()], *size))[..., 0].view(bool)


def _fill_pillow(corners: np.ndarray, size: Size) -> np.ndarray:
    outline = list(map(tuple, corners.tolist()))
    return draw_with_pillow(size, lambda draw: draw.polygon(outline, outline=1, fill=1))


def _fill_opencv(corners: np.ndarray, size: Size) -> np.ndarray:
    """What `cv2.fillPoly` draws: the spans between pairs of edges in every row, and the lines between the corners."""
    corners = np.rint(corners).astype(np.int64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if np.prod(high - low + 1) > 4 * MAX_PIXELS:
        raise InvalidDatasetError("reaches too far beyond the picture")
    canvas = np.zeros((high - low + 1)[::-1], bool)
    corners = corners - low
    _fill_spans(canvas, corners)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        x, y = _line(start, end)
        canvas[y, x] = True
    return place(canvas, (int(low[0]), int(low[1])), size)


def _fill_spans(canvas: np.ndarray, corners: np.ndarray) -> None:
    """Fills, by the even-odd rule, between the edges, which move along in fixed-point numbers of 16 bits."""
    crossings: list[list[int]] = [[] for _ in range(len(canvas))]
    for start, end in zip(corners.tolist(), np.roll(corners, -1, axis=0).tolist(), strict=True):
        (x0, y0), (x1, y1) = sorted((start, end), key=lambda point: point[1])
        if y0 == y1:
            continue
        step = int(((x1 - x0) << 16) / (y1 - y0))  # towards zero, as C divides
        for row in range(y0, y1):
            crossings[row].append((x0 << 16) + step * (row - y0))
    for row, places in enumerate(crossings):
        places.sort()
        for left, right in zip(places[::2], places[1::2], strict=True):
            canvas[row, (left + 0xFFFF) >> 16 : (right >> 16) + 1] = True


def _line(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pixels of Bresenham's line, from left to right: x `(n,)` and y `(n,)`."""
    if end[0] < start[0]:
        start, end = end, start
    delta = end - start
    across, along = np.sort(np.abs(delta))
    steps = np.arange(along + 1)
    # How often it has moved aside: the smallest number that keeps the error from falling below zero.
    aside = -((along - 2 * across * steps) // (2 * along)) if along else steps * 0
    steep = abs(delta[1]) > abs(delta[0])
    x, y = (aside, steps) if steep else (steps, aside)
    return start[0] + x, start[1] + y * (1 if delta[1] >= 0 else -1)


def place(mask: np.ndarray, corner: tuple[int, int], size: Size) -> np.ndarray:
    """Places a small mask on an empty canvas, and crops what lies outside.

    Args:
        mask: `(h, w)`, bool.
        corner: x and y of its first pixel.
        size: Height and width of the canvas.

    Returns:
        `(H, W)`, bool.

    Example:

    >>> place(np.ones((2, 2), bool), (-1, 0), (2, 2)).astype(int)
    array([[1, 0],
           [1, 0]])
    """
    check_size(size)
    canvas = np.zeros(size, bool)
    x, y = corner
    top, left = max(y, 0), max(x, 0)
    bottom, right = min(y + mask.shape[0], size[0]), min(x + mask.shape[1], size[1])
    if top < bottom and left < right:
        canvas[top:bottom, left:right] = mask[top - y : bottom - y, left - x : right - x]
    return canvas


POLYGON_RULES: Mapping[str, Callable[[np.ndarray, Size], np.ndarray]] = MappingProxyType(
    {"coco": _fill_coco, "pil": _fill_pillow, "opencv": _fill_opencv}
)
"""How a polygon is filled, by the name of the rule."""
