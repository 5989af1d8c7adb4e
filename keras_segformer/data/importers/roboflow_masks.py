"""Roboflow's "Semantic Segmentation Masks": `X_mask.png` beside `X.jpg`, and `_classes.csv` in every split."""

from __future__ import annotations

import functools
import posixpath
import re

from keras_segformer.data.importers.class_lists import ClassList, read_class_list
from keras_segformer.data.importers.labels import UNLABELLED, Context, Export, Picture, PixelValues, merge_classes
from keras_segformer.data.importers.pixels import count_values, pixel_values, read_pixels
from keras_segformer.data.importers.tree import is_image
from keras_segformer.errors import InvalidDatasetError

NAME = "roboflow-masks"
TITLE = 'Roboflow "Semantic Segmentation Masks"'
LOOKED_FOR = "_classes.csv beside files that end in _mask.png"

_SUFFIX = "_mask.png"
_UNLABELED = ("unlabeled", "unlabelled")


def detect(context: Context) -> list[str]:
    """The export, if it holds such folders."""
    return [""] if _folders(context) else []


def read(context: Context, _root: str) -> Export:
    """Reads all splits of an export.

    Args:
        context: The export.
        _root: Not used: all folders with `_classes.csv` belong together.

    Returns:
        The classes of the lists; what Roboflow once called "unlabeled" is the background.
    """
    lists = {
        folder: read_class_list(context.tree, posixpath.join(folder, "_classes.csv")) for folder in _folders(context)
    }
    export = Export(
        rules=["Masks are read by the pixel values that _classes.csv lists for their folder; 0 is the background."],
    )
    for folder, listed in lists.items():
        names = {value: UNLABELLED if _is_unlabelled(value, name) else name for value, name in listed.values.items()}
        names.setdefault(0, UNLABELLED)
        _read_folder(context, folder, names, export)
    junk = _junk(context, lists, export)
    export.classes = merge_classes(
        each
        for listed in lists.values()
        for each in listed.classes
        if each.name not in junk and not _is_unlabelled(_value(listed, each.name), each.name)
    )
    if len({tuple(listed.values.items()) for listed in lists.values()}) > 1:
        export.notes.append("The _classes.csv of the splits differ; classes of the same name are joined.")
    if junk:
        export.notes.append(
            f"Named like the data set and without any pixel, so not a class: {', '.join(sorted(junk))}."
        )
    return export


def _folders(context: Context) -> list[str]:
    """The folders with both a list of classes and masks."""
    with_masks = {posixpath.dirname(path) for path in context.tree.ending(_SUFFIX)}
    return [folder for path in context.tree.named("_classes.csv") if (folder := posixpath.dirname(path)) in with_masks]


def _is_unlabelled(value: int | None, name: str) -> bool:
    return value == 0 and name.casefold() in _UNLABELED


def _value(listed: ClassList, name: str) -> int | None:
    return next((value for value, each in listed.values.items() if each == name), None)


def _read_folder(context: Context, folder: str, names: dict[int, str], export: Export) -> None:
    masks = [path for path in context.tree.ending(_SUFFIX) if posixpath.dirname(path) == folder]
    pictures = []
    for mask in masks:
        name = posixpath.basename(mask)[: -len(_SUFFIX)]
        image = context.find_image(name, [folder], lambda path: path.lower().endswith(_SUFFIX))
        load = functools.partial(_load, context, mask, names)
        pictures.append(Picture(name=name, subset=folder, source=mask, load=load, image=image))
    export.pictures += pictures
    candidates = [path for path in context.tree.paths if posixpath.dirname(path) == folder and is_image(path)]
    used = set(masks)
    export.without_label += [path for path in context.unused_images(pictures, candidates) if path not in used]


def _load(context: Context, path: str, names: dict[int, str], _size: object) -> PixelValues:
    return pixel_values(read_pixels(context.tree.read(path)), names, {})


def _junk(context: Context, lists: dict[str, ClassList], export: Export) -> set[str]:
    """Classes that Roboflow makes of the name of the data set or of its group of annotations."""
    titles = set()
    for path in (*context.tree.named("README.dataset.txt"), *context.tree.named("README.roboflow.txt")):
        text = context.tree.text(path)
        titles |= {
            _letters(each) for each in re.findall(r"^#?\s*(.+?)(?:\s+[>-]\s+.*|\s+are annotated in .*)$", text, re.M)
        }
        titles |= {_letters(each) for each in re.findall(r"universe\.roboflow\.com/[^/\s]+/([^/\s]+)", text)}
    suspects = {name for listed in lists.values() for name in listed.values.values() if _letters(name) in titles - {""}}
    return suspects - _occurring(export, suspects) if suspects else set()


def _occurring(export: Export, suspects: set[str]) -> set[str]:
    """Those of the classes that have pixels."""
    found: set[str] = set()
    for picture in export.pictures:
        try:
            label = picture.load(None)
        except InvalidDatasetError:
            continue  # the import reports it
        found |= {label.names.get(value, "") for value in count_values(label.values)[0].tolist()}
    return found & suspects


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
