"""Pascal VOC 2012 and data sets of the same layout: masks of class indices with a palette, or in VOC's colours."""

from __future__ import annotations

import functools
import posixpath

from keras_segformer.data.importers import cvat_masks
from keras_segformer.data.importers.class_lists import ClassList, find_class_list, read_class_file
from keras_segformer.data.importers.labels import IGNORED, RGB, Context, Export, LabelClass, PixelValues
from keras_segformer.data.importers.pixels import Pixels, pixel_values
from keras_segformer.data.importers.voc_layout import MASKS, find_mask_folders, read_voc_folder
from keras_segformer.label_sets import load_label_set

NAME = "voc"
TITLE = "Pascal VOC"
LOOKED_FOR = "the folder SegmentationClass beside JPEGImages or ImageSets, without labelmap.txt"

_VOID_COLOR = (224, 224, 192)
_NAME_FILES = ("class_names.txt", "labels.txt", "classes.txt", "classes.json", "label_colors.txt")


def detect(context: Context) -> list[str]:
    """The folders that hold such a data set."""
    return [
        folder
        for folder in find_mask_folders(context)
        if folder not in cvat_masks.detect(context) and _is_whole(context, folder)
    ]


def read(context: Context, root: str) -> Export:
    """Reads the data set in a folder.

    Args:
        context: The export.
        root: The folder, as `detect` found it.

    Returns:
        Its classes: those that a list names, or the 21 of Pascal VOC.
    """
    listed = find_class_list(context.tree, root, _NAME_FILES)
    if context.options.classes:
        listed = read_class_file(context.options.classes)
    classes = listed or _voc_classes()
    folder = read_voc_folder(context, root, functools.partial(_name_pixels, classes))
    named = f"{classes.path or 'Pascal VOC'}"
    return Export(
        classes=classes.classes,
        pictures=folder.pictures,
        unlabelled="ignore",
        upright=False,
        rules=[
            f"Masks are read from {MASKS}: palette and grey files by index, RGB files by colour, and palette files by "
            f"colour too where that names other classes of the list; the classes are those of {named}.",
            "255, and VOC's border colour (224, 224, 192), are ignored.",
        ],
        notes=[*folder.notes, *classes.shared_colors],
        without_label=folder.without_label,
    )


def _is_whole(context: Context, folder: str) -> bool:
    """True if there are pictures or lists too; other tools write a lone `SegmentationClass` for inspection."""
    return any(context.tree.below(posixpath.join(folder, each)) for each in ("JPEGImages", "ImageSets", "images"))


def _voc_classes() -> ClassList:
    label_set = load_label_set("voc")
    classes = [LabelClass(*pair) for pair in zip(label_set.names, label_set.palette, strict=True)]
    return ClassList(classes, dict(enumerate(label_set.names)))


def _name_pixels(classes: ClassList, pixels: Pixels) -> PixelValues:
    colors: dict[RGB, str] = {_VOID_COLOR: IGNORED}
    # labelme2voc and others give the classes of any list VOC's colours, in order.
    colors |= {color: classes.values[value] for value, color in enumerate(_voc_colors(256)) if value in classes.values}
    colors |= classes.colors
    sure = {_VOID_COLOR: IGNORED, **classes.colors}
    return pixel_values(pixels, {255: IGNORED, **classes.values}, colors, palette_colors=sure)


def _voc_colors(count: int) -> list[RGB]:
    """VOC's colours: the bits of the index, distributed over red, green and blue from the highest bit down."""
    return [
        tuple(sum((index >> 3 * bit + channel & 1) << 7 - bit for bit in range(8)) for channel in range(3))
        for index in range(count)
    ]
