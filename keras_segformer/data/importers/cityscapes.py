"""Cityscapes' names: `…_leftImg8bit.png` with `…_gtFine_labelIds.png` and its siblings."""

from __future__ import annotations

import functools
import posixpath

import numpy as np

from keras_segformer.data.importers.class_lists import find_class_list
from keras_segformer.data.importers.labels import (
    IGNORED,
    UNLABELLED,
    Context,
    Export,
    LabelClass,
    Painting,
    Picture,
    PixelValues,
)
from keras_segformer.data.importers.pixels import read_pixels
from keras_segformer.data.importers.polygons import check_points
from keras_segformer.data.importers.tree import text_of
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import load_label_set

NAME = "cityscapes"
TITLE = "Cityscapes"
LOOKED_FOR = (
    "files that end in _labelIds.png, _labelTrainIds.png, _instanceIds.png or _polygons.json below gtFine or gtCoarse"
)

_KINDS = ("_labelIds.png", "_labelTrainIds.png", "_instanceIds.png", "_polygons.json")
_GROUNDS = ("gtFine", "gtCoarse")
_IMAGES = "leftImg8bit"
_PER_INSTANCE = 1000
_MINUS_ONE = 65535  # the licence plate, in 16 bits
_BACKGROUND_TRAIN_ID = 19  # of datumaro, which Cityscapes itself does not have
_RULE = "pil"

_NAMES = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road", "sidewalk",
    "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole", "polegroup",
    "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus",
    "caravan", "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip
"""The names of the label ids 0 to 33, in labels.py of cityscapesscripts."""

_VOID_IDS = (0, 1, 2, 3)
"""The ids that stand for no part of the scene."""


def detect(context: Context) -> list[str]:
    """The export, if it holds such files."""
    return [""] if _grounds(context) else []


def read(context: Context, _root: str) -> Export:
    """Reads all cities.

    Args:
        context: The export.
        _root: Not used: the names say what belongs together.

    Returns:
        The classes of `label_colors.txt`, or the 19 of the benchmark, or every class with an id.
    """
    grounds = _grounds(context)
    kinds = {key: next(kind for kind in _KINDS if kind in files) for key, files in grounds.items()}
    names, classes, rule = _classes(context)
    pictures = [
        Picture(
            name="/".join(key.split("/")[1:]),
            subset=key.split("/")[0],
            source=grounds[key][kind],
            load=functools.partial(_LOADERS[kind], context, grounds[key][kind], names),
            image=_image(context, key),
        )
        for key, kind in sorted(kinds.items())
    ]
    used = ", ".join(sorted({kind.removeprefix("_") for kind in kinds.values()}))
    images = [path for path in context.tree.paths if _IMAGES in path.split("/")[:-1]]
    return Export(
        classes=classes,
        pictures=pictures,
        order="order",
        unlabelled="ignore",
        ignored=tuple(set(_NAMES) - {each.name for each in classes}),
        rules=[
            f"Labels are read from {used}; of several files of a picture the first of labelIds, labelTrainIds, "
            "instanceIds and polygons counts.",
            "Instance ids are 1000 times the label id and a number, or the label id; groups count as their class.",
            rule,
        ],
        without_label=context.unused_images(pictures, images),
    )


def _grounds(context: Context) -> dict[str, dict[str, str]]:
    """The files of every picture by their kind; the key is its split, city and name."""
    found: dict[str, dict[str, str]] = {}
    coarse: dict[str, dict[str, str]] = {}
    for path in context.tree.ending(*map(str.lower, _KINDS)):
        kind = next((each for each in _KINDS if path.lower().endswith(each.lower())), None)
        parts = path.split("/")
        ground = next((each for each in _GROUNDS if each in parts[:-1]), None)
        name = posixpath.basename(path)[: -len(kind)]
        if ground is None and not name.endswith(_GROUNDS):
            continue
        below = parts[parts.index(ground) + 1 : -1] if ground else parts[:-1]
        for each in _GROUNDS:
            name = name.removesuffix(f"_{each}")
        key = "/".join([*below[:1], *below[1:], name]) if below else f"/{name}"
        (coarse if ground == "gtCoarse" else found).setdefault(key, {})[kind] = path
    # Fine annotations of any kind come before the coarse ones of the same picture.
    return coarse | found


def _image(context: Context, key: str) -> object:
    folder, _, name = key.rpartition("/")
    city = folder.partition("/")[2]
    labels = tuple(map(str.lower, (*_KINDS, "_color.png")))
    for suffix in (f"_{_IMAGES}", ""):
        folders = [posixpath.join(_IMAGES, folder), posixpath.join(_IMAGES, city)]
        image = context.find_image(name + suffix, folders, lambda path: path.lower().endswith(labels))
        if image is not None:
            return image
    return None


def _classes(context: Context) -> tuple[dict[int, str], list[LabelClass], str]:
    """The class of every label id, the classes, and the rule as a sentence."""
    listed = find_class_list(context.tree, names=("label_colors.txt",))
    if listed:
        return listed.values, listed.classes, f"Values are the line numbers of {listed.path}, from 0."
    benchmark = load_label_set("cityscapes")
    if context.options.cityscapes_classes == "all":
        names = dict(enumerate(_NAMES))
        colors = {benchmark.names[index]: benchmark.palette[index] for index in range(benchmark.num_classes)}
        classes = [LabelClass(name, colors.get(name)) for value, name in enumerate(_NAMES) if value not in _VOID_IDS]
        return {**names, 255: IGNORED}, classes, "Every class with an id counts; ids 0 to 3, 255 and -1 are ignored."
    names = dict(enumerate(_NAMES)) | {255: IGNORED}
    names |= {value: benchmark.names[index] for value, index in benchmark.raw_to_train.items()}
    classes = [LabelClass(*pair) for pair in zip(benchmark.names, benchmark.palette, strict=True)]
    rule = "The 19 classes of the benchmark count and the other ids are ignored (--cityscapes-classes all: every id)."
    return names, classes, rule


def _load_label_ids(context: Context, path: str, names: dict[int, str], _size: object) -> PixelValues:
    return PixelValues(_values(context, path), names, _describe)


def _load_instance_ids(context: Context, path: str, names: dict[int, str], _size: object) -> PixelValues:
    values = _values(context, path)
    values = np.where(values == _MINUS_ONE, 255, values)
    return PixelValues(np.where(values < _PER_INSTANCE, values, values // _PER_INSTANCE), names, _describe)


def _load_train_ids(context: Context, path: str, names: dict[int, str], _size: object) -> PixelValues:
    if find_class_list(context.tree, names=("label_colors.txt",)):
        return PixelValues(_values(context, path), {**names, 255: IGNORED}, lambda value: f"train id {value}")
    benchmark = load_label_set("cityscapes")
    by_train_id = dict(enumerate(benchmark.names)) | {255: IGNORED, _BACKGROUND_TRAIN_ID: UNLABELLED}
    return PixelValues(_values(context, path), by_train_id, lambda value: f"train id {value}")


def _values(context: Context, path: str) -> np.ndarray:
    pixels = read_pixels(context.tree.read(path))
    if pixels.colored:
        if not pixels.is_grey:
            raise InvalidDatasetError("is coloured, but its name says that it holds ids")
        return pixels.values & 255
    return pixels.values


def _describe(value: int) -> str:
    return f"label id {value}"


def _load_polygons(context: Context, path: str, names: dict[int, str], _size: object) -> Painting:
    document = context.tree.json(path)
    known = set(names.values())
    painting = Painting([], (int(document["imgHeight"]), int(document["imgWidth"])))
    for shape in document["objects"]:
        label = text_of(shape.get("label"))
        if shape.get("deleted"):
            painting.skipped["deleted object"] += 1
            continue
        if label not in known and label.endswith("group"):
            label = label.removesuffix("group")
        label = IGNORED if label == "license plate" else label
        try:
            painting.add(label, context.polygon(check_points(shape.get("polygon"), at_least=3), _RULE))
        except InvalidDatasetError as error:
            painting.problems.append(f"has a polygon of {label!r} that {error}")
    return painting


_LOADERS = {
    "_labelIds.png": _load_label_ids,
    "_labelTrainIds.png": _load_train_ids,
    "_instanceIds.png": _load_instance_ids,
    "_polygons.json": _load_polygons,
}
