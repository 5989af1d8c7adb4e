"""COCO's instances: polygons and run lengths in JSON, with the layouts of CVAT, Roboflow, labelme2coco and others."""

from __future__ import annotations

import dataclasses
import functools
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_segformer.data.importers.json_kinds import COCO
from keras_segformer.data.importers.labels import (
    IGNORED,
    Context,
    Export,
    LabelClass,
    Painting,
    Picture,
    color_of,
    merge_classes,
)
from keras_segformer.data.importers.polygons import Size, check_points
from keras_segformer.data.importers.run_lengths import decode_coco
from keras_segformer.data.importers.splits import is_in_other_split, split_in, split_of
from keras_segformer.data.importers.tree import file_name_of, stem, text_of, without_suffix
from keras_segformer.errors import InvalidDatasetError

NAME = "coco"
TITLE = "COCO instances"
LOOKED_FOR = "a JSON file with images, annotations and categories"

_RULE = "coco"
# Other COCO tasks on the same pictures, whose files have no regions of classes, or only regions of people.
_OTHER_TASKS = ("captions", "person_keypoints", "image_info", "keypoints", "densepose")


def detect(context: Context) -> list[str]:
    """Finds the JSON files of this format, which form one export."""
    files = context.json_files(COCO)
    return ["\n".join(files)] if files else []


def read(context: Context, paths: str) -> Export:
    """Reads all JSON files of an export; the classes are the categories in the order of the files."""
    export = Export(
        order="area",
        rules=[
            f"Polygons are filled by the rule '{context.polygon_rule(_RULE)}'; several rings of an annotation are "
            "united.",
            "Smaller regions lie over larger ones, since COCO has no order of its own (--overlap order: later ones "
            "over earlier).",
            crowd_rule(context),
        ],
    )
    files = paths.split("\n")
    if len(files) > 1:
        kept = [path for path in files if not _is_other_task(path)] or files
        export.notes += [f"{path} is about another task and is left aside." for path in files if path not in kept]
        files = kept
    for path in files:
        _read_file(context, path, subset_of(path, len(files)), export)
    export.pictures = _one_of_each(export)
    export.classes = merge_classes(export.classes)
    export.without_label = context.unused_images(export.pictures)
    return export


def crowd_rule(context: Context) -> str:
    """Describes how crowd regions are handled."""
    if context.options.crowd == "ignore":
        return "Crowd regions are ignored (--crowd ignore)."
    return "Crowd regions count as their class (--crowd ignore: as 255)."


def subset_of(path: str, count: int) -> str:
    """Finds out which subset the annotations of a JSON file belong to.

    Args:
        path: The file.
        count: How many there are.

    Returns:
        The split in its name or else in that of its folder; where several files name none, what tells them apart.

    Example:

    >>> subset_of("annotations/instances_val2017.json", 2), subset_of("valid/_annotations.coco.json", 3)
    ('val', 'val')
    """
    folder = posixpath.basename(posixpath.dirname(path))
    split = split_in(stem(path)) or split_in(folder)
    if split or count == 1:
        return split or ""
    name = re.sub(r"^(instances|annotations|_annotations)[._-]?", "", stem(path))
    return folder if stem(path).startswith("_annotations") else name or folder


def image_folders(path: str) -> list[str]:
    """The folders that may contain the pictures of a JSON file, the most likely first."""
    folder, name = posixpath.dirname(path), stem(path)
    subset = re.sub(r"^(instances|panoptic|stuff)_", "", name)
    parent = posixpath.dirname(folder)
    folders = [folder]
    for base in dict.fromkeys((folder, parent, "")):
        folders += [posixpath.join(base, each) for each in (f"images/{subset}", subset, "images", "data", "")]
    return [each.rstrip("/") for each in dict.fromkeys(folders)]


def _is_other_task(path: str) -> bool:
    return stem(path).startswith(_OTHER_TASKS)


def _read_file(context: Context, path: str, subset: str, export: Export) -> None:
    document = context.tree.json(path)
    names = read_categories(document, path, export)
    by_image: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for annotation in document["annotations"]:
        if isinstance(annotation, dict):
            by_image[id_of(annotation.get("image_id"))].append(annotation)
    seen = set()
    for image in images_of(document, path, export):
        seen.add(id_of(image.get("id")))
        name = file_name_of(image["file_name"])
        export.pictures.append(
            Picture(
                name=without_suffix(name),
                subset=subset,
                source=f"{name} in {path}",
                load=functools.partial(_load, context, image, by_image.get(id_of(image.get("id")), []), names),
                image=context.find_image(name, image_folders(path), lambda each: is_in_other_split(each, subset)),
            )
        )
    orphans = sum(len(annotations) for image, annotations in by_image.items() if image not in seen)
    if orphans:
        export.problems.append(f"{path} has {orphans} annotations of images that it does not list.")


def images_of(document: Mapping[str, Any], path: str, export: Export) -> list[dict[str, Any]]:
    """The images of a JSON file whose annotations can be told from those of the others.

    Args:
        document: Its content.
        path: Its path.
        export: What problems are added to.

    Returns:
        The records with a `file_name` of their own id, each once.
    """
    by_id: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for image in document["images"]:
        if not isinstance(image, dict) or not image.get("file_name"):
            export.problems.append(f"{path} has an image without file_name.")
        else:
            by_id[id_of(image.get("id"))].setdefault(file_name_of(image["file_name"]), image)
    for identifier, images in by_id.items():
        if len(images) > 1:
            export.problems.append(
                f"{path} gives the id {identifier} to several images, whose annotations cannot be told apart, so that "
                f"they are left out: {', '.join(images)}; give each its own."
            )
    return [image for images in by_id.values() if len(images) == 1 for image in images.values()]


def _one_of_each(export: Export) -> list[Picture]:
    """The pictures, with the annotations of those that are listed several times, such as for things and for stuff."""
    by_image: dict[Any, list[Picture]] = defaultdict(list)
    for position, picture in enumerate(export.pictures):
        # Elsewhere, equal names in several files may be of several pictures.
        file = "" if split_of(picture.subset) else picture.source.rpartition(" in ")[2]
        key = (picture.subset, picture.name, picture.image.path, file) if picture.image else position
        by_image[key].append(picture)
    for same in by_image.values():
        if len(same) > 1:
            sources = ", ".join(dict.fromkeys(picture.source for picture in same))
            export.notes.append(f"{same[0].image.path} is listed {len(same)} times, and has all regions of: {sources}.")
    return [
        same[0]
        if len(same) == 1
        else dataclasses.replace(same[0], load=functools.partial(_load_all, [picture.load for picture in same]))
        for same in by_image.values()
    ]


def _load_all(loads: Sequence[Callable[[Size | None], Painting]], size: Size | None) -> Painting:
    """The regions of several records of one picture."""
    paintings = [load(size) for load in loads]
    sizes = dict.fromkeys(painting.size for painting in paintings if painting.size)
    if len(sizes) > 1:
        listed = " and ".join(f"{width}x{height}" for height, width in sizes)
        raise InvalidDatasetError(f"is listed with several sizes, {listed} pixels; export it once")
    joined = Painting([], next(iter(sizes), None))
    for painting in paintings:
        joined.regions += painting.regions
        joined.skipped += painting.skipped
        joined.problems += painting.problems
    return joined


def id_of(value: Any) -> str:
    """An id as a text, since some tools write numbers as texts or, as pandas does, with a fraction of 0.

    Args:
        value: The id in the file.

    Example:

    >>> id_of(3), id_of("3"), id_of(3.0)
    ('3', '3', '3')
    """
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def read_categories(document: Mapping[str, Any], path: str, export: Export) -> dict[str, str]:
    """Reads the categories of a JSON file.

    Args:
        document: Its content.
        path: Its path.
        export: What its classes and notes are added to.

    Returns:
        The name of every category by its `id_of`.

    Raises:
        InvalidDatasetError: Two categories have one id.
    """
    categories = [each for each in document.get("categories") or [] if isinstance(each, dict)]
    used = Counter(id_of(each.get("category_id")) for each in document["annotations"] if isinstance(each, dict))
    parents = {text_of(each.get("supercategory")) for each in categories[1:]}
    names = {}
    for position, category in enumerate(categories):
        name = text_of(category.get("name")) or f"category {category.get('id')}"
        identifier = id_of(category.get("id"))
        if (
            position == 0
            and name in parents
            and len(categories) > 1
            and not used[identifier]
            and not _is_own_parent(category, categories)
        ):
            export.notes.append(
                f"{path}: the category '{name}' is the group of the others, without annotations; it is left out."
            )
            continue
        if names.setdefault(identifier, name) != name:
            raise InvalidDatasetError(
                f"{path} gives the id {identifier} to two categories, '{names[identifier]}' and '{name}', so that it "
                "is not known of which its annotations are; give each its own."
            )
        export.classes.append(LabelClass(name, color_of(category.get("color"))))
    doubled = sorted(name for name, count in Counter(names.values()).items() if count > 1)
    if doubled:
        export.notes.append(f"{path}: categories of one name become one class: {', '.join(doubled)}.")
    return names


def _is_own_parent(category: Mapping[str, Any], categories: list[dict[str, Any]]) -> bool:
    """True if every category is its own group, as some tools write it, so that none of them is a mere group."""
    own = text_of(category.get("supercategory")) == text_of(category.get("name"))
    return own and not any(
        text_of(each.get("supercategory")) == text_of(category.get("name")) for each in categories[1:]
    )


def _load(
    context: Context,
    image: Mapping[str, Any],
    annotations: list[dict[str, Any]],
    names: Mapping[str, str],
    _size: object,
) -> Painting:
    size = None
    if image.get("height") and image.get("width"):
        size = int(image["height"]), int(image["width"])
    painting = Painting([], size)
    for annotation in annotations:
        identifier = annotation.get("category_id")
        label = names.get(id_of(identifier), f"category {identifier}, which is not listed")
        faults: list[str] = []
        try:
            draw = _draw(context, annotation, faults)
        except InvalidDatasetError as error:
            painting.problems.append(f"has annotation {annotation.get('id')} ({label}) that {error}")
            continue
        painting.problems += [
            f"has annotation {annotation.get('id')} ({label}) that {fault}; its other rings are drawn"
            for fault in faults
        ]
        if draw is None:
            painting.skipped["annotation without segmentation"] += 1
        else:
            is_crowd = annotation.get("iscrowd") and context.options.crowd == "ignore"
            painting.add(IGNORED if is_crowd else label, draw)
    return painting


def _draw(context: Context, annotation: Mapping[str, Any], faults: list[str]) -> Callable[[Size], np.ndarray] | None:
    """A function that draws an annotation; `None` if it is only a box. Faults of skipped rings go to `faults`."""
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        return functools.partial(_decode, segmentation)
    if not segmentation:
        return None
    if not isinstance(segmentation, list):
        raise InvalidDatasetError("has a segmentation that is neither a list nor an object")
    rings = [segmentation] if isinstance(segmentation[0], (int, float)) else segmentation
    parts = []
    for ring in rings:
        try:
            # Some tools put run lengths into the list.
            is_mask = isinstance(ring, dict)
            parts.append(functools.partial(_decode, ring) if is_mask else context.polygon(_corners(ring), _RULE))
        except InvalidDatasetError as error:
            faults.append(str(error))
    if not parts:
        raise InvalidDatasetError(faults[0])
    return lambda size: np.logical_or.reduce([draw(size) for draw in parts])


def _corners(ring: Any) -> np.ndarray:
    """The corners `(n, 2)` of a ring."""
    if not isinstance(ring, list) or len(ring) < 6 or len(ring) % 2:
        raise InvalidDatasetError("has a ring that is not three or more pairs of x and y")
    return check_points(np.array(ring, dtype=object).reshape(-1, 2).tolist(), at_least=3)


def _decode(run_lengths: Mapping[str, Any], size: Size) -> np.ndarray:
    """The mask `(H, W)` of run lengths, which has to cover the whole picture."""
    mask = decode_coco(run_lengths)
    if mask.shape != size:
        raise InvalidDatasetError(
            f"has run lengths for {mask.shape[1]}x{mask.shape[0]} pixels in a picture of {size[1]}x{size[0]}"
        )
    return mask
