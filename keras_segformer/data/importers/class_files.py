"""Writes a `classes.json` for masks that have none."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keras_segformer.data.importers.class_scan import MaskScan, scan_masks
from keras_segformer.data.importers.folders import match_masks
from keras_segformer.data.importers.labels import Context, ExportFile, ImportOptions
from keras_segformer.data.importers.tree import Tree, is_image, text_of
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.files import atomic_file
from keras_segformer.label_sets import LabelSet

CLASSES_FILE = "classes.json"


def write_classes(label_set: LabelSet, path: Path, raw_to_train: bool) -> None:
    """Writes a `classes.json`.

    Args:
        label_set: The classes.
        path: The file; an old one is replaced.
        raw_to_train: Whether the values of the masks are listed: without, they are the class indices, and any other
            value is found by the check.
    """
    content = {key: value for key, value in label_set.to_dict().items() if value != ""}
    if not raw_to_train:
        del content["raw_to_train"]
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_scanned_classes(
    folder: str | os.PathLike[str], mask_suffix: str | None = None, overwrite: bool = False
) -> tuple[MaskScan, LabelSet, Path]:
    """Writes a `classes.json` from what the masks of a folder hold.

    Args:
        folder: A folder with `images` and `masks`, for one split or several, or a folder of masks.
        mask_suffix: How the names of masks end.
        overwrite: Whether a `classes.json` that is there is replaced.

    Returns:
        What the masks hold, the classes, and the file.

    Raises:
        FileExistsError: There is a `classes.json`, and `overwrite` was not given.
        FileNotFoundError: There is no such folder.
        InvalidDatasetError: The masks hold no class, or so many values or colours that they cannot be classes.

    Example:

    ```python
    scan, label_set, path = write_scanned_classes("my_data")
    ```
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder '{folder}'; name one with masks")
    path = folder / CLASSES_FILE
    if path.exists() and not overwrite:
        raise FileExistsError(f"there is a '{path}' already; pass `overwrite=True` (--overwrite) to replace it")
    tree = Tree(folder)
    found = match_masks(Context(tree, ImportOptions(mask_suffix=mask_suffix)))
    masks = [mask for *_, mask, _ in found.pairs] or [ExportFile(tree, each) for each in tree.paths if is_image(each)]
    if not masks:
        raise InvalidDatasetError(f"There are no masks in '{folder}'; name the folder that holds them.")
    scan = scan_masks(masks)
    label_set = scan.label_set(text_of(folder.resolve().name) or "classes")
    present = scan.present
    write_classes(label_set, path, raw_to_train=scan.kind == "value" and present != list(range(len(present))))
    return scan, label_set, path
