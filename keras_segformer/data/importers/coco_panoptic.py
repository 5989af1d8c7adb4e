"""COCO's panoptic format: PNG files whose colours are the ids of segments, and JSON that gives each its category."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Collection, Mapping
from typing import Any

from keras_segformer.data.importers.coco import (
    crowd_rule,
    id_of,
    image_folders,
    images_of,
    read_categories,
    subset_of,
)
from keras_segformer.data.importers.json_kinds import PANOPTIC
from keras_segformer.data.importers.labels import IGNORED, Context, Export, Picture, PixelValues, merge_classes
from keras_segformer.data.importers.pixels import read_pixels
from keras_segformer.data.importers.splits import is_in_other_split
from keras_segformer.data.importers.tree import file_name_of, stem, without_suffix
from keras_segformer.errors import InvalidDatasetError

NAME = "coco-panoptic"
TITLE = "COCO panoptic"
LOOKED_FOR = "a JSON file whose annotations have segments_info"


def detect(context: Context) -> list[str]:
    """Finds the JSON files of this format, which form one export."""
    files = context.json_files(PANOPTIC)
    return ["\n".join(files)] if files else []


def read(context: Context, paths: str) -> Export:
    """Reads all JSON files of an export and the PNG files that they name; the classes are the categories."""
    export = Export(
        unlabelled="ignore",
        rules=[
            "The id of a segment is red + 256 green + 65536 blue; its category is that of segments_info.",
            "Id 0 is ignored: COCO leaves it to pixels without a category.",
            crowd_rule(context),
        ],
    )
    files = paths.split("\n")
    masks = {
        _mask(context, path, file_name_of(annotation.get("file_name")))
        for path in files
        for annotation in context.tree.json(path)["annotations"]
    }
    for path in files:
        document = context.tree.json(path)
        names = read_categories({**document, "annotations": _segments(document)}, path, export)
        images = {id_of(each.get("id")): each for each in images_of(document, path, export)}
        for annotation in document["annotations"]:
            image = images.pop(id_of(annotation.get("image_id")), None)
            if image is None:
                export.problems.append(f"{path} has an annotation of an image that it does not list.")
                continue
            name = file_name_of(image.get("file_name"))
            mask = _mask(context, path, file_name_of(annotation.get("file_name")))
            subset = subset_of(path, len(files))
            is_other = functools.partial(_is_other, masks, subset)
            found = context.find_image(name, image_folders(path), is_other)
            export.pictures.append(
                Picture(
                    name=without_suffix(name),
                    subset=subset,
                    source=mask,
                    load=functools.partial(_load, context, mask, annotation, names),
                    image=found,
                )
            )
        export.without_label += [file_name_of(image.get("file_name")) for image in images.values()]
    export.classes = merge_classes(export.classes)
    unused = context.unused_images(export.pictures)
    known = {posixpath.basename(path) for path in export.without_label}
    export.without_label += [path for path in unused if path not in masks and posixpath.basename(path) not in known]
    return export


def _segments(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [segment for each in document["annotations"] for segment in each.get("segments_info") or []]


def _is_other(masks: Collection[str], subset: str, path: str) -> bool:
    return path in masks or is_in_other_split(path, subset)


def _mask(context: Context, path: str, name: str) -> str:
    """The path of a mask: in the folder named like the JSON file, or anywhere in a folder of masks."""
    folder = posixpath.dirname(path)
    for candidate in (posixpath.join(folder, stem(path), name), posixpath.join(folder, name)):
        if candidate in context.tree:
            return candidate
    subset = subset_of(path, 2)
    found = [each for each in context.tree.named(posixpath.basename(name)) if not is_in_other_split(each, subset)]
    panoptic = [each for each in found if stem(path) in each.split("/")[:-1]] or [
        each
        for each in found
        if any("panoptic" in part.casefold() or "mask" in part.casefold() for part in each.split("/")[:-1])
    ]
    candidates = panoptic or found
    return candidates[0] if len(candidates) == 1 else posixpath.join(folder, stem(path), name)


def _load(
    context: Context, mask: str, annotation: Mapping[str, Any], names: Mapping[str, str], _size: object
) -> PixelValues:
    if mask not in context.tree:
        raise InvalidDatasetError(
            "is named in the JSON file, but is not there, or its name is that of several files; put it into the folder "
            "that is named like the JSON file"
        )
    pixels = read_pixels(context.tree.read(mask))
    values = pixels.values
    if pixels.colored:  # the red byte is the lowest here, and the highest in `Pixels`
        values = values >> 16 | values & 0xFF00 | (values & 0xFF) << 16
    known = {0: IGNORED}
    for segment in annotation.get("segments_info") or []:
        identifier = segment.get("category_id")
        label = names.get(id_of(identifier), f"category {identifier}, which is not listed")
        known[int(segment["id"])] = IGNORED if segment.get("iscrowd") and context.options.crowd == "ignore" else label
    return PixelValues(values, known, lambda value: f"segment {value}")
