"""YOLO's segmentation labels: a text file of normalised polygons per picture, and `data.yaml` or `classes.txt`."""

from __future__ import annotations

import functools
import posixpath
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import yaml

from keras_segformer.data.importers.class_lists import read_class_file
from keras_segformer.data.importers.labels import (
    Context,
    Export,
    ExportFile,
    LabelClass,
    Painting,
    Picture,
    merge_classes,
)
from keras_segformer.data.importers.polygons import Size
from keras_segformer.data.importers.splits import is_in_other_split, split_of
from keras_segformer.data.importers.tree import Tree, is_image, stem, text_of
from keras_segformer.errors import InvalidDatasetError

NAME = "yolo-seg"
TITLE = "YOLO segmentation"
LOOKED_FOR = (
    "a YAML file with names and a train, val or test, or a list classes.txt (or --classes), beside label files of "
    "numbers in labels"
)

_RULE = "coco"
_CLASS_LISTS = ("classes.txt", "obj.names")
_SPLITS = ("train", "val", "valid", "test")
_MAX_YAML = 2**20
_MAX_OVERSHOOT = 0.5


def detect(context: Context) -> list[str]:
    """The YAML files that describe such a data set."""
    found = []
    for path in context.tree.ending(".yaml", ".yml"):
        document = _yaml(context.tree, path, peek=True)
        if isinstance(document, dict) and "names" in document and any(split in document for split in _SPLITS):
            found.append(path)
    return found


def detect_lists(context: Context) -> list[str]:
    """The lists of classes beside label files, which Label Studio and others write instead of a YAML file.

    The path of the list that `--classes` names is empty: it need not lie in the export.
    """
    lists = [path for name in _CLASS_LISTS for path in context.tree.named(name)]
    if not lists and context.options.classes:
        lists = [""]
    return [path for path in lists if any(_has_objects(context.tree, each) for each in _labels_below(context, path))]


def read(context: Context, path: str) -> Export:
    """Reads the data set that a YAML file describes, or that lies beside a list of classes.

    Args:
        context: The export.
        path: The file, as `detect` or `detect_lists` found it.

    Returns:
        Its names in the order of their numbers.

    Raises:
        InvalidDatasetError: It is a data set of poses, names no class, or there is not one label file.
    """
    if not path:
        path = str(context.options.classes)
        names = read_class_file(context.options.classes).values
        pictures, notes = _all_pictures(context, "", names), []
    elif path.lower().endswith(_CLASS_LISTS):
        names = dict(enumerate(context.tree.lines(path)))
        pictures, notes = _all_pictures(context, path, names), []
    else:
        document = _yaml(context.tree, path, peek=False)
        if document.get("kpt_shape"):
            raise InvalidDatasetError(f"{path} describes a data set of poses (kpt_shape), which has no areas.")
        names = _names(document, path)
        pictures, notes = _pictures_of_splits(context, path, document, names)
    labels = {picture.source for picture in pictures}
    unnamed = [each for each in _labels_below(context, "") if each not in labels and _is_label(context.tree, each)]
    pictures += [_lonely(context, each, names) for each in unnamed]
    if unnamed:
        notes.append(f"Label files that no split of {path} names are read too: {', '.join(unnamed)}.")
    missing = sum(picture.source not in context.tree for picture in pictures)
    if pictures and missing == len(pictures):
        raise InvalidDatasetError(
            f"None of the {missing} pictures that {path} names has a label file, such as {pictures[0].source}; put the "
            "label files into folders named labels beside those named images."
        )
    if missing:
        notes.append(f"{missing} pictures have no label file, which means no object: they are all background.")
    return Export(
        classes=merge_classes([LabelClass(name) for _, name in sorted(names.items())]),
        pictures=pictures,
        order="area",
        rules=[
            f"Polygons are filled by the rule '{context.polygon_rule(_RULE)}', after corners outside were moved to "
            "the border.",
            "Larger polygons are painted first and smaller ones over them, as Ultralytics does.",
            "Number 0 is a class; rows of five numbers are boxes and are not drawn.",
        ],
        notes=notes,
        without_label=context.unused_images(pictures),
    )


def _pictures_of_splits(
    context: Context, path: str, document: dict[str, Any], names: dict[int, str]
) -> tuple[list[Picture], list[str]]:
    """The pictures that the splits of a YAML file name, and notes."""
    pictures: list[Picture] = []
    notes: list[str] = []
    folders_of: dict[str, list[str]] = {}
    for split in _SPLITS:
        images = _images(context, path, document, split, notes)
        if not images:
            continue
        taken = {each for others in folders_of.values() for each in others}
        if set(images) <= taken:
            notes.append(f"{path}: {split} names pictures that another split has already, and is left aside.")
            continue
        folders_of[split] = images
        pictures += [_picture(context, image, split, names) for image in images]
    return pictures, list(dict.fromkeys(notes))


def _all_pictures(context: Context, path: str, names: dict[int, str]) -> list[Picture]:
    """The pictures in folders named `images` around or below a list of classes."""
    below = context.tree.below(posixpath.dirname(path))
    images = [each for each in below if is_image(each) and "images" in each.split("/")[:-1]]
    return [_picture(context, image, _subset(image), names) for image in images]


def _labels_below(context: Context, path: str) -> list[str]:
    """The text files in folders named `labels`, below the folder of a file."""
    below = context.tree.below(posixpath.dirname(path))
    return [each for each in below if each.lower().endswith(".txt") and "labels" in each.split("/")[:-1]]


def _subset(path: str) -> str:
    """The first folder that is a split."""
    return next((part for part in path.split("/")[:-1] if split_of(part)), "")


def _yaml(tree: Tree, path: str, peek: bool) -> Any:
    try:
        data = tree.read(path)
        if len(data) > _MAX_YAML:
            raise InvalidDatasetError(f"{path} is too large for a description of a data set.")
        # Without types: `no` and `010` are names like any other.
        return yaml.load(data.decode("utf-8-sig"), yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, InvalidDatasetError) as error:
        if peek:
            return None
        raise InvalidDatasetError(f"{path} is not YAML: {error}") from error


def _names(document: dict[str, Any], path: str) -> dict[int, str]:
    names = document["names"]
    pairs = names.items() if isinstance(names, dict) else enumerate(names if isinstance(names, list) else [])
    try:
        found = {int(number): text_of(name) or f"class {number}" for number, name in pairs}
    except (TypeError, ValueError) as error:
        raise InvalidDatasetError(f"{path} has names that are not numbered.") from error
    if not found:
        raise InvalidDatasetError(f"{path} names no class.")
    return found


def _images(context: Context, path: str, document: dict[str, Any], split: str, notes: list[str]) -> list[str]:
    """The pictures of a split: those in its folders, or those that its text file lists."""
    entries = document.get(split)
    found: list[str] = []
    for entry in entries if isinstance(entries, list) else [entries]:
        if not isinstance(entry, str) or not entry:
            continue
        candidates = _candidates(posixpath.dirname(path), str(document.get("path") or ""), entry.replace("\\", "/"))
        images = next(filter(None, (_images_at(context, each, notes) for each in candidates)), [])
        if not images:
            notes.append(f"{path}: {split} names '{entry}', which is not there or holds no picture.")
        found += images
    return list(dict.fromkeys(found))


def _candidates(folder: str, base: str, entry: str) -> list[str]:
    """Where a path of the YAML file may lead: as written, or below the export wherever that has been moved to."""
    parts = [part for part in PurePosixPath(entry).parts if part not in ("..", ".", "/")]
    base_parts = [part for part in PurePosixPath(base.replace("\\", "/")).parts if part not in ("..", ".", "/")]
    written = posixpath.normpath(posixpath.join(folder, base if not base.startswith("/") else "", entry.lstrip("/")))
    moved = ["/".join([*base_parts[start:], *parts]) for start in range(len(base_parts) + 1)]
    moved += ["/".join(parts[start:]) for start in range(1, len(parts))]
    return [written, *(posixpath.normpath(posixpath.join(folder, each)) for each in moved if each)]


def _images_at(context: Context, path: str, notes: list[str]) -> list[str]:
    if path in context.tree and path.lower().endswith(".txt"):
        found = {line: _listed_image(context, line, posixpath.dirname(path)) for line in context.tree.lines(path)}
        missing = [line for line, image in found.items() if image is None]
        if missing:
            notes.append(f"{path} names pictures that are not there: {', '.join(missing)}.")
        return [image for image in found.values() if image]
    return [each for each in context.tree.below("" if path == "." else path) if is_image(each)]


def _listed_image(context: Context, line: str, folder: str) -> str | None:
    split = next(filter(None, map(split_of, line.replace("\\", "/").split("/")[:-1])), "")
    return context.tree.find_image(line, [folder, ""], lambda path: is_in_other_split(path, split))


def _label_path(image: str) -> str:
    """`images` in the path becomes `labels`, the last one, as Ultralytics does."""
    return posixpath.splitext(_with_folder(image, "images", "labels"))[0] + ".txt"


def _with_folder(path: str, old: str, new: str) -> str:
    """A path with another name of the last of its folders of a name."""
    *folders, name = path.split("/")
    if old in folders:
        folders[len(folders) - 1 - folders[::-1].index(old)] = new
    return "/".join([*folders, name])


def _picture(context: Context, image: str, split: str, names: dict[int, str]) -> Picture:
    label = _label_path(image)
    return Picture(
        name=_name(image),
        subset=split,
        source=label,
        load=functools.partial(_load, context, label, names),
        image=ExportFile(context.tree, image),
    )


def _lonely(context: Context, label: str, names: dict[int, str]) -> Picture:
    """A label file whose picture no split of the YAML file names."""
    subset = _subset(label)
    named = _with_folder(label, "labels", "images")
    image = context.find_image(named[: -len(".txt")], [""], lambda path: is_in_other_split(path, subset))
    load = functools.partial(_load, context, label, names)
    return Picture(name=_name(named), subset=subset, source=label, load=load, image=image)


def _name(image: str) -> str:
    """The path below the folders `images` and that of the split."""
    parts = [part for part in image.split("/")[:-1] if part != "images" and not split_of(part)]
    return "/".join([*parts, stem(image)])


def _is_label(tree: Tree, path: str) -> bool:
    """Returns True if a file holds nothing but rows of numbers."""
    rows = tree.lines(path)
    return all(row.split()[0].replace(".", "", 1).isdecimal() for row in rows)


def _has_objects(tree: Tree, path: str) -> bool:
    return bool(tree.lines(path)) and _is_label(tree, path)


def _load(context: Context, path: str, names: dict[int, str], size: Size | None) -> Painting:
    painting = Painting([])
    for number, row in enumerate(context.tree.lines(path) if path in context.tree else [], start=1):
        fields = row.split()
        if len(fields) == 5:
            painting.skipped["box (a row of five numbers)"] += 1
            continue
        try:
            values = np.array(fields, np.float64)
        except ValueError:
            painting.problems.append(f"has a row {number} that is not all numbers")
            continue
        if len(fields) < 7 or len(fields) % 2 == 0:
            painting.problems.append(
                f"has a row {number} of {len(fields)} numbers, which is neither a polygon nor a box"
            )
            continue
        corners = values[1:].reshape(-1, 2)
        if not np.isfinite(values).all() or corners.min() < -_MAX_OVERSHOOT or corners.max() > 1 + _MAX_OVERSHOOT:
            painting.problems.append(f"has a row {number} whose corners are not shares from 0 to 1 of width and height")
            continue
        label = names.get(int(values[0]), f"class {fields[0]}, which is not listed")
        painting.add(label, _drawer(context, np.clip(corners, 0, 1)))
    return painting


def _drawer(context: Context, shares: np.ndarray) -> Any:
    return lambda size: context.polygon(shares * (size[1], size[0]), _RULE)(size)
