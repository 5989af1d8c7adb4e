"""Supervisely's projects: `meta.json`, and in every data set `img` and `ann` with a JSON file per picture."""

from __future__ import annotations

import functools
import posixpath
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_segformer.data.importers.labels import (
    Context,
    Export,
    LabelClass,
    Painting,
    Picture,
    merge_classes,
    parse_color,
)
from keras_segformer.data.importers.pixels import decode_base64, read_layer
from keras_segformer.data.importers.polygons import Size, check_points, draw_polygon, place, whole_points
from keras_segformer.data.importers.tree import is_below, text_of, without_suffix
from keras_segformer.errors import InvalidDatasetError

NAME = "supervisely"
TITLE = "Supervisely project"
LOOKED_FOR = "meta.json with classes above folders named ann"

_RULE = "opencv"
_MAX_BITMAP = 2**28


def detect(context: Context) -> list[str]:
    """The folders that hold a project."""
    found = []
    for path in context.tree.named("meta.json"):
        document, folder = context.tree.peek_json(path), posixpath.dirname(path)
        has_annotations = any("ann" in each.split("/")[:-1] for each in context.tree.below(folder))
        if isinstance(document, dict) and isinstance(document.get("classes"), list) and has_annotations:
            found.append(folder)
    return found


def read(context: Context, root: str) -> Export:
    """Reads a project.

    Args:
        context: The export.
        root: Its folder, as `detect` found it.

    Returns:
        The classes of meta.json.
    """
    listed = [
        each for each in context.tree.json(posixpath.join(root, "meta.json"))["classes"] if isinstance(each, dict)
    ]
    titles = {each.get("id"): text_of(each.get("title")) for each in listed}
    classes = [LabelClass(text_of(each.get("title")), parse_color(str(each.get("color") or ""))) for each in listed]
    pictures = [
        _picture(context, root, path, titles)
        for path in context.tree.below(root)
        if path.lower().endswith(".json") and posixpath.basename(posixpath.dirname(path)) == "ann"
    ]
    images = [path for path in context.tree.below(root) if posixpath.basename(posixpath.dirname(path)) == "img"]
    return Export(
        classes=merge_classes(classes),
        pictures=pictures,
        order="order",
        rules=[
            f"Polygons are filled by the rule '{context.polygon_rule(_RULE)}' and their interiors are holes; bitmaps "
            "lie where their origin says.",
            "Later objects of the list lie over earlier ones.",
            "Lines, points, graphs and cuboids have no area and are not drawn.",
        ],
        without_label=context.unused_images(pictures, images),
    )


def _picture(context: Context, root: str, path: str, titles: Mapping[Any, str]) -> Picture:
    dataset = posixpath.dirname(posixpath.dirname(path))
    file = posixpath.basename(path)[: -len(".json")]
    parts = [part for part in dataset[len(root) :].split("/") if part not in ("", "datasets")]
    return Picture(
        name=without_suffix(file),
        subset="/".join(parts),
        source=path,
        load=functools.partial(_load, context, path, titles),
        image=_image(context, posixpath.join(dataset, "img"), file),
    )


def _image(context: Context, folder: str, file: str) -> Any:
    # A file of that name in another data set is another picture.
    return context.find_image(file, [folder], lambda path: not is_below(path, folder))


def _load(context: Context, path: str, titles: Mapping[Any, str], _size: object) -> Painting:
    document = context.tree.json(path)
    size = document.get("size") or {}
    declared = (int(size["height"]), int(size["width"])) if size.get("height") and size.get("width") else None
    painting = Painting([], declared)
    for shape in document.get("objects") or []:
        kind = shape.get("geometryType") or next((key for key in _SHAPES if key in shape), None)
        if kind is None and "points" in shape:
            kind = "polygon"
        label = text_of(shape.get("classTitle")) or titles.get(shape.get("classId"), "")
        if kind not in _SHAPES:
            painting.skipped[str(kind or "object without geometry")] += 1
            continue
        try:
            painting.add(label, _SHAPES[kind](context, shape))
        except InvalidDatasetError as error:
            painting.problems.append(f"has a {kind} of {label or 'no label'!r} that {error}")
    return painting


def _polygon(context: Context, shape: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    points = shape.get("points") or {}
    exterior = check_points(points.get("exterior"), at_least=3)
    interiors = [check_points(interior, at_least=3) for interior in points.get("interior") or []]
    rule = context.polygon_rule(_RULE)

    def draw(size: Size) -> np.ndarray:
        mask = draw_polygon(exterior, size, rule)
        for interior in interiors:
            mask &= ~draw_polygon(interior, size, rule)
        return mask

    return draw


def _rectangle(_context: Context, shape: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    """Both corners belong to a rectangle."""
    corners = whole_points(check_points((shape.get("points") or {}).get("exterior"), at_least=2))
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()

    def draw(size: Size) -> np.ndarray:
        mask = np.zeros(size, bool)
        mask[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = True
        return mask

    return draw


def _bitmap(key: str, context: Context, shape: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    bitmap = shape.get(key) or {}
    left, top = whole_points(check_points([bitmap.get("origin")], at_least=1)[0]).tolist()
    # Bitmaps are opaque or not; the edges of an alpha mask are soft.
    threshold = context.options.alpha_threshold if key == "alpha_mask" else 1
    mask = read_layer(_unpack(bitmap.get("data"))) >= threshold
    return lambda size: place(mask, (left, top), size)


def _unpack(text: Any) -> bytes:
    """A PNG file in base64, mostly compressed once more."""
    data = decode_base64(text)
    if data.startswith(b"\x89PNG"):
        return data
    try:
        inflated = zlib.decompressobj().decompress(data, _MAX_BITMAP)
    except zlib.error as error:
        raise InvalidDatasetError("has data that are neither PNG nor zlib") from error
    return inflated


_SHAPES = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "bitmap": functools.partial(_bitmap, "bitmap"),
    "alpha_mask": functools.partial(_bitmap, "alpha_mask"),
}
