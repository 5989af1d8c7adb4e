"""CVAT's "CVAT for images 1.1": one XML file with polygons, boxes, ellipses and masks."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keras_segformer.data.importers.labels import (
    Context,
    Export,
    LabelClass,
    Painting,
    Picture,
    merge_classes,
    numbers_of,
    parse_color,
)
from keras_segformer.data.importers.polygons import Size, box_corners, ellipse_corners, place, rotate
from keras_segformer.data.importers.run_lengths import decode_cvat
from keras_segformer.data.importers.tree import file_name_of, is_below, text_of, without_suffix
from keras_segformer.errors import InvalidDatasetError

NAME = "cvat-images"
TITLE = '"CVAT for images 1.1"'
LOOKED_FOR = "an XML file whose root is <annotations> with <image>"

_RULE = "coco"
_NOT_AREAS = ("skeleton", "tag", "points", "polyline", "cuboid")
_IGNORED_CHILDREN = ("attribute",)


def detect(context: Context) -> list[str]:
    """The XML files of this format."""
    return [path for path in context.tree.ending(".xml") if b"<annotations" in context.tree.read(path)[:65536]]


def read(context: Context, path: str) -> Export:
    """Reads an XML file and the pictures beside it.

    Args:
        context: The export.
        path: The file, as `detect` found it.

    Returns:
        Its classes in the order of its `meta` block.

    Raises:
        InvalidDatasetError: It is that of a video, or broken.
    """
    document = context.tree.xml(path)
    if document.tag != "annotations":
        raise InvalidDatasetError(f"{path} is not a file of CVAT: its root is <{document.tag}>.")
    if document.find("track") is not None or (document.find("image") is None and "interpolation" in _modes(document)):
        raise InvalidDatasetError(
            f'{path} is a file of "CVAT for video 1.1", whose tracks are not read; export the task from CVAT as "CVAT '
            'for images 1.1" or "Segmentation mask 1.1".'
        )
    classes, skipped_labels = _classes(document)
    folder = posixpath.dirname(path)
    pictures = [_picture(context, path, folder, element) for element in document.iterfind("image")]
    notes = []
    known = {each.name for each in classes}
    used = {text_of(shape.get("label")) for shape in document.iterfind("image/*") if shape.tag in _SHAPES} - {""}
    if used - known:
        notes.append(f"Labels that the meta block does not list are added behind the others: {_joined(used - known)}.")
        classes += [LabelClass(name) for name in sorted(used - known)]
    if skipped_labels:
        notes.append(
            "Labels of skeletons, their parts, tags, points, lines and cuboids are not classes: "
            f"{_joined(skipped_labels)}."
        )
    return Export(
        classes=classes,
        pictures=pictures,
        order="order",
        rules=[
            f"Polygons, boxes and ellipses are filled by the rule '{context.polygon_rule(_RULE)}'; rotated shapes "
            "are turned about their centre.",
            "Shapes are painted by ascending z_order, those of equal z_order in the order of the file.",
            "Polylines, points, cuboids, skeletons and tags have no area and are not drawn.",
        ],
        notes=notes,
        without_label=context.unused_images(pictures),
    )


def _modes(document: Any) -> set[str]:
    return {(element.text or "").strip() for element in document.iterfind("meta//mode")}


def _classes(document: Any) -> tuple[list[LabelClass], set[str]]:
    """The labels that have areas, and the names of the others."""
    classes, skipped = [], set()
    for label in document.iterfind("meta//labels/label"):
        name = text_of(label.findtext("name"))
        if label.find("parent") is not None or text_of(label.findtext("type")) in _NOT_AREAS:
            skipped.add(name)
        else:
            classes.append(LabelClass(name, parse_color(label.findtext("color") or "")))
    merged = merge_classes(classes)
    return merged, skipped - {each.name for each in merged}


def _picture(context: Context, path: str, folder: str, element: Any) -> Picture:
    name = file_name_of(element.get("name"))
    if not name:
        raise InvalidDatasetError(f"{path} has an <image> without a name; export it again.")
    subset = text_of(element.get("subset"))
    folders = [posixpath.join(folder, "images", subset)] if subset else []
    folders += [posixpath.join(folder, "images"), *([posixpath.join(folder, subset)] if subset else []), folder]
    image = context.find_image(name, folders, lambda path: bool(subset) and not _fits_subset(path, subset, folder))
    load = functools.partial(_load, context, element)
    return Picture(
        name=without_suffix(name),
        subset="" if subset.casefold() == "default" else subset,
        source=f"{name} in {path}" + (f" (subset {subset})" if subset else ""),
        load=load,
        image=image,
    )


def _fits_subset(path: str, subset: str, folder: str) -> bool:
    """Returns True if a picture is not one of another subset, which may have one of the same name."""
    images = posixpath.join(folder, "images")
    if not is_below(path, images) or is_below(path, posixpath.join(images, subset)):
        return True
    return "/" not in path[len(images) + 1 :]


def _load(context: Context, element: Any, _size: Size | None) -> Painting:
    width, height = numbers_of(element.attrib, "width", "height")
    painting = Painting([], (int(height), int(width)))
    shapes = []
    for shape in element:
        if shape.tag in _SHAPES:
            shapes.append(shape)
        elif shape.tag not in _IGNORED_CHILDREN:
            painting.skipped[shape.tag] += 1
    # `sort` keeps the order of the file among equals.
    shapes.sort(key=_z_order)
    for shape in shapes:
        label = text_of(shape.get("label"))
        try:
            painting.add(label, _SHAPES[shape.tag](context, shape))
        except InvalidDatasetError as error:
            painting.problems.append(f"has a {shape.tag} of {label or 'no label'!r} that {error}")
    return painting


def _z_order(shape: Any) -> float:
    try:
        return float(shape.get("z_order") or 0)
    except ValueError:
        return 0.0


def _polygon(context: Context, shape: Any) -> Callable[[Size], np.ndarray]:
    try:
        corners = [
            [float(part) for part in pair.split(",")] for pair in (shape.get("points") or "").split(";") if pair.strip()
        ]
    except ValueError as error:
        raise InvalidDatasetError("has corners that are not pairs of numbers") from error
    if any(len(corner) != 2 for corner in corners):
        raise InvalidDatasetError("has corners that are not pairs of numbers")
    return context.polygon(np.array(corners).reshape(-1, 2), _RULE)


def _box(context: Context, shape: Any) -> Callable[[Size], np.ndarray]:
    left, top, right, bottom = numbers_of(shape.attrib, "xtl", "ytl", "xbr", "ybr")
    center = ((left + right) / 2, (top + bottom) / 2)
    return context.polygon(_turned(shape, box_corners(left, top, right, bottom), center), _RULE)


def _ellipse(context: Context, shape: Any) -> Callable[[Size], np.ndarray]:
    x, y, radius_x, radius_y = numbers_of(shape.attrib, "cx", "cy", "rx", "ry")
    return context.polygon(_turned(shape, ellipse_corners((x, y), (radius_x, radius_y)), (x, y)), _RULE)


def _turned(shape: Any, corners: np.ndarray, center: tuple[float, float]) -> np.ndarray:
    degrees = numbers_of(shape.attrib, "rotation")[0] if shape.get("rotation") else 0.0
    return rotate(corners, degrees, center) if degrees else corners


def _mask(_context: Context, shape: Any) -> Callable[[Size], np.ndarray]:
    left, top, width, height = map(int, numbers_of(shape.attrib, "left", "top", "width", "height"))
    mask = decode_cvat(shape.get("rle") or "", (height, width))
    return lambda size: place(mask, (left, top), size)


_SHAPES = {"polygon": _polygon, "box": _box, "ellipse": _ellipse, "mask": _mask}


def _joined(names: Iterable[str]) -> str:
    return ", ".join(sorted(map(repr, names)))
