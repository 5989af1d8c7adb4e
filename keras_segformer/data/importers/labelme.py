"""labelme's JSON: one file per picture with polygons, rectangles, circles, lines and masks."""

from __future__ import annotations

import dataclasses
import functools
import math
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_segformer.data.file_budgets import open_dataset_image
from keras_segformer.data.importers.class_lists import find_class_list, read_class_file
from keras_segformer.data.importers.json_kinds import LABELME
from keras_segformer.data.importers.labels import (
    Context,
    Export,
    ExportFile,
    LabelClass,
    Painting,
    Picture,
    merge_classes,
)
from keras_segformer.data.importers.pixels import decode_base64, read_layer
from keras_segformer.data.importers.polygons import Size, check_points, draw_with_pillow, place, whole_points
from keras_segformer.data.importers.splits import split_of
from keras_segformer.data.importers.tree import file_name_of, stem, text_of, without_suffix
from keras_segformer.errors import InvalidDatasetError

NAME = "labelme"
TITLE = "labelme JSON"
LOOKED_FOR = "JSON files with shapes, imagePath and imageData"

_RULE = "pil"
_LINE_WIDTH, _POINT_RADIUS = 10, 5  # those of labelme's own conversion
_INSTANCE = re.compile(r"(?P<name>.+)-\d+")
_LINES = ("line", "linestrip", "point")


def detect(context: Context) -> list[str]:
    """The export, if it holds such files."""
    return [""] if context.json_files(LABELME) else []


def read(context: Context, _root: str) -> Export:
    """Reads all JSON files of an export.

    Args:
        context: The export.
        _root: Not used: the files may lie anywhere.

    Returns:
        The classes of labels.txt, or those that occur, sorted.
    """
    listed = find_class_list(context.tree, names=("labels.txt", "class_names.txt", "classes.txt"))
    pictures, used, problems = [], set(), []
    for path in context.json_files(LABELME):
        try:
            document = context.tree.json(path)
            pictures.append(_picture(context, path, document))
            used |= {text_of(shape.get("label")) for shape in document["shapes"] if isinstance(shape, dict)} - {""}
        except InvalidDatasetError as error:
            problems.append(str(error))
    known = [each.name for each in listed.classes] if listed else []
    chosen = read_class_file(context.options.classes).classes if context.options.classes else []
    instances = _instances(used, {*known, *(each.name for each in chosen)})
    pictures = [dataclasses.replace(picture, load=functools.partial(picture.load, instances)) for picture in pictures]
    new = sorted(used - set(known) - instances.keys())
    notes = (
        [f"The classes are in the order of {listed.path}."]
        if listed
        else ["There is no labels.txt: the classes are in alphabetical order (--classes FILE for another)."]
    )
    if listed and new:
        notes.append(f"Labels that {listed.path} does not list are added behind the others: {', '.join(new)}.")
    if instances:
        notes.append(
            "These number instances, as older versions of labelme do, and are of their class: "
            f"{', '.join(sorted(instances))}."
        )
    numbered = sorted(label for label in new if _INSTANCE.fullmatch(label))
    if numbered:
        notes.append(
            f"These labels end in a number and stay classes: {', '.join(numbered)}; if they number instances, list the "
            "classes without numbers in labels.txt."
        )
    context_lines = context.options.lines == "draw"
    return Export(
        classes=merge_classes([*(listed.classes if listed else []), *map(LabelClass, new)]),
        pictures=pictures,
        order="order",
        rules=[
            f"Polygons are filled by the rule '{context.polygon_rule(_RULE)}'; rectangles, circles and masks as "
            "labelme does.",
            "Later shapes of the list lie over earlier ones.",
            f"Lines are drawn {_LINE_WIDTH} pixels wide and points with a radius of {_POINT_RADIUS}, as labelme does "
            "(--lines skip: not at all)."
            if context_lines
            else "Lines and points are not drawn.",
        ],
        notes=notes,
        without_label=[path for path in context.unused_images(pictures) if not _is_drawn_by_labelme(path)],
        problems=problems,
    )


def _instances(labels: set[str], classes: set[str]) -> dict[str, str]:
    """The class of every label that numbers an instance of a known class, as `person-2` does of `person`."""
    matches = {label: _INSTANCE.fullmatch(label) for label in labels - classes}
    return {label: match["name"] for label, match in matches.items() if match and match["name"] in classes}


def _is_drawn_by_labelme(path: str) -> bool:
    folders = path.split("/")[:-1]
    return any(folder.startswith(("SegmentationClass", "SegmentationObject")) for folder in folders)


def _picture(context: Context, path: str, document: dict[str, Any]) -> Picture:
    image, embedded = _find_image(context, path, document)
    subset, name = _subset_and_name(path)
    return Picture(
        name=name,
        subset=subset,
        source=path,
        load=functools.partial(_load, context, path),
        image=image,
        embedded=functools.partial(_embedded, context, path) if embedded else None,
    )


def _subset_and_name(path: str) -> tuple[str, str]:
    """The first folder that is a split, and the path without it."""
    *folders, name = without_suffix(path[: -len(".json")]).split("/")
    subset = next(filter(split_of, folders), "")
    return subset, "/".join([*(folder for folder in folders if folder != subset), name])


def _find_image(context: Context, path: str, document: dict[str, Any]) -> tuple[ExportFile | None, bool]:
    """The picture on disk, and whether that inside the file is to be taken.

    `imagePath` counts where it leads to a picture; else `imageData`; else a picture named like the file.
    """
    folder = posixpath.dirname(path)
    named = file_name_of(document["imagePath"])
    inside = isinstance(document.get("imageData"), str) and document["imageData"]
    if named and not named.lower().endswith(".json"):
        exact = posixpath.normpath(posixpath.join(folder, named))
        if exact in context.tree and not exact.lower().endswith(".json"):
            return ExportFile(context.tree, exact), False
    if inside:
        return None, True
    beside = context.find_image(stem(path), [folder])
    if named and not named.lower().endswith(".json") and (beside is None or posixpath.dirname(beside.path) != folder):
        beside = context.find_image(named, [folder]) or beside
    return beside, False


def _embedded(context: Context, path: str) -> bytes:
    return decode_base64(context.tree.json(path)["imageData"])


def _load(context: Context, path: str, instances: Mapping[str, str], size: Size | None) -> Painting:
    document = context.tree.json(path)
    painting = Painting([], _declared_size(context, path, document))
    for shape in document["shapes"]:
        if not isinstance(shape, dict):
            painting.problems.append("has a shape that is not an object")
            continue
        kind, label = shape.get("shape_type") or "polygon", text_of(shape.get("label"))
        label = instances.get(label, label)
        if kind not in _SHAPES or (kind in _LINES and context.options.lines == "skip"):
            painting.skipped[kind] += 1
            continue
        try:
            painting.add(label, _SHAPES[kind](context, shape))
        except InvalidDatasetError as error:
            painting.problems.append(f"has a {kind} of {label or 'no label'!r} that {error}")
    return painting


def _declared_size(context: Context, path: str, document: dict[str, Any]) -> Size | None:
    height, width = document.get("imageHeight"), document.get("imageWidth")
    if height and width:
        return int(height), int(width)
    if document.get("imageData"):
        with open_dataset_image(_embedded(context, path)) as image:
            return image.height, image.width
    return None


def _polygon(context: Context, shape: dict[str, Any]) -> Callable[[Size], np.ndarray]:
    return context.polygon(check_points(shape.get("points"), at_least=3), _RULE)


def _rectangle(_context: Context, shape: dict[str, Any]) -> Callable[[Size], np.ndarray]:
    points = check_points(shape.get("points"), at_least=2)
    if len(points) == 4:  # newer versions may write all corners
        points = np.stack([points.min(axis=0), points.max(axis=0)])
    low, high = points[:2].min(axis=0), points[:2].max(axis=0)
    box = [*low.tolist(), *high.tolist()]
    return lambda size: draw_with_pillow(size, lambda draw: draw.rectangle(box, outline=1, fill=1))


def _circle(_context: Context, shape: dict[str, Any]) -> Callable[[Size], np.ndarray]:
    points = check_points(shape.get("points"), at_least=2)
    return _disc(points[0], math.dist(points[0], points[1]))


def _point(_context: Context, shape: dict[str, Any]) -> Callable[[Size], np.ndarray]:
    return _disc(check_points(shape.get("points"), at_least=1)[0], _POINT_RADIUS)


def _disc(center: np.ndarray, radius: float) -> Callable[[Size], np.ndarray]:
    box = [*(center - radius).tolist(), *(center + radius).tolist()]
    return lambda size: draw_with_pillow(size, lambda draw: draw.ellipse(box, outline=1, fill=1))


def _line(_context: Context, shape: dict[str, Any]) -> Callable[[Size], np.ndarray]:
    points = list(map(tuple, check_points(shape.get("points"), at_least=2).tolist()))
    return lambda size: draw_with_pillow(size, lambda draw: draw.line(points, fill=1, width=_LINE_WIDTH))


def _mask(_context: Context, shape: dict[str, Any]) -> Callable[[Size], np.ndarray]:
    """A mask of the bounding box, whose own size counts where the corners have fractions."""
    left, top = whole_points(check_points(shape.get("points"), at_least=1)[0]).tolist()
    mask = read_layer(decode_base64(shape.get("mask"))) > 0
    return lambda size: place(mask, (left, top), size)


_SHAPES = {
    "polygon": _polygon,
    "oriented_rectangle": _polygon,
    "rotation": _polygon,  # what X-AnyLabeling calls it
    "rectangle": _rectangle,
    "circle": _circle,
    "point": _point,
    "line": _line,
    "linestrip": _line,
    "mask": _mask,
}
