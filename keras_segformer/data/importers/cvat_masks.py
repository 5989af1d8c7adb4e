"""CVAT's "Segmentation mask 1.1": RGB masks in the colours of `labelmap.txt`."""

from __future__ import annotations

import functools
import posixpath

from keras_segformer.data.importers.class_lists import ClassList, read_class_list
from keras_segformer.data.importers.labels import UNLABELLED, Context, Export, PixelValues
from keras_segformer.data.importers.pixels import Pixels, pixel_values
from keras_segformer.data.importers.tree import is_below
from keras_segformer.data.importers.voc_layout import MASKS, find_mask_folders, read_voc_folder

NAME = "cvat-masks"
TITLE = 'CVAT "Segmentation mask 1.1"'
LOOKED_FOR = "labelmap.txt beside the folder SegmentationClass"

_BLACK = (0, 0, 0)


def detect(context: Context) -> list[str]:
    """The folders that hold such an export."""
    return [folder for folder in find_mask_folders(context) if _labelmap(context, folder) is not None]


def read(context: Context, root: str) -> Export:
    """Reads the export in a folder.

    Args:
        context: The export.
        root: The folder, as `detect` found it.

    Returns:
        Its classes in the order of labelmap.txt.
    """
    labelmap = read_class_list(context.tree, _labelmap(context, root))
    folder = read_voc_folder(context, root, functools.partial(_name_pixels, labelmap, _unlabelled(context, labelmap)))
    return Export(
        classes=labelmap.classes,
        pictures=folder.pictures,
        rules=[
            f"Masks are read from {MASKS} by the colours of labelmap.txt; SegmentationObject holds instances and is "
            "left aside.",
            "Black pixels that labelmap.txt does not name are unlabelled.",
            "Masks of one channel are read by the line numbers of labelmap.txt, unless their palette has its colours.",
        ],
        notes=folder.notes,
        problems=labelmap.shared_colors,
        without_label=folder.without_label,
    )


def _labelmap(context: Context, folder: str) -> str | None:
    """The nearest labelmap.txt in a folder or above it; `None` where there is none."""
    above = [path for path in context.tree.named("labelmap.txt") if is_below(folder + "/", posixpath.dirname(path))]
    return max(above, key=len, default=None)


def _unlabelled(context: Context, labelmap: ClassList) -> str | None:
    """The class that CVAT has put first for unlabelled pixels: the black background."""
    black = labelmap.colors.get(_BLACK)
    return black if black is not None and context.options.is_background(black) else None


def _name_pixels(labelmap: ClassList, background: str | None, pixels: Pixels) -> PixelValues:
    by_color = dict(labelmap.colors)
    if background is not None:
        by_color[_BLACK] = UNLABELLED
    by_value = labelmap.values if labelmap.classes else {}
    return pixel_values(pixels, by_value, by_color, black_is_color=lambda: True)
