"""The formats that are known, and which of them an export has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from keras_segformer.data.importers import (
    camvid,
    cityscapes,
    coco,
    coco_panoptic,
    cvat_images,
    cvat_masks,
    folders,
    label_studio_json,
    label_studio_png,
    labelme,
    roboflow_masks,
    supervisely,
    voc,
    yolo,
)
from keras_segformer.data.importers.labels import Context, Export
from keras_segformer.errors import InvalidDatasetError


class Format(Protocol):
    """The interface of the modules that read one format each.

    Args:
        NAME: Its name on the command line.
        TITLE: Its name in the tool.
        LOOKED_FOR: The files that identify it, as part of a sentence.
    """

    NAME: str
    TITLE: str
    LOOKED_FOR: str

    def detect(self, context: Context) -> list[str]:
        """Looks for exports of this format.

        Args:
            context: The files to look through.

        Returns:
            The places of the exports, as `read` takes them; several JSON files of one export are one place, with a
            path per line.
        """
        ...

    def read(self, context: Context, place: str) -> Export:
        """Reads the export at a place.

        Args:
            context: The files, and the options to read them with.
            place: What `detect` returned.

        Returns:
            The classes in the order of the tool, the pictures with their labels, and what there is to report.

        Raises:
            InvalidDatasetError: The export is broken, or is of a kind that cannot be read.
        """
        ...


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        each.NAME: each
        for each in (
            cvat_masks,
            cvat_images,
            label_studio_png,
            label_studio_json,
            labelme,
            coco,
            coco_panoptic,
            roboflow_masks,
            yolo,
            supervisely,
            voc,
            cityscapes,
            camvid,
            folders,
        )
    }
)
"""The formats by their names. `folders`, and YOLO's without a YAML file, count only where nothing else does."""


def find_format(context: Context, name: str | None = None) -> tuple[Format, str]:
    """Looks which format an export has.

    Args:
        context: The export.
        name: The format, where the user says it.

    Returns:
        The format, and the place of the export for its `read`.

    Raises:
        InvalidDatasetError: None fits, or several, or it holds several exports of the format.
    """
    source = context.tree.source
    if name is None and (context.options.masks or context.options.mask_suffix or context.options.image_suffix):
        name = folders.NAME
    if name is not None:
        # Masks without any picture are a pair of folders only for those who say so.
        places = FORMATS[name].detect(context) or ([""] if name == folders.NAME else [])
        if not places and name == yolo.NAME:
            places = yolo.detect_lists(context)
        if not places:
            raise InvalidDatasetError(
                f"'{source}' does not hold {FORMATS[name].TITLE}; looked for {FORMATS[name].LOOKED_FOR}."
            )
        return FORMATS[name], _only(places, FORMATS[name], context)
    found = {each: places for key, each in FORMATS.items() if key != folders.NAME and (places := each.detect(context))}
    # These fit much that is also something else.
    for each, detect in ((yolo, yolo.detect_lists), (folders, folders.detect)):
        if not found and (places := detect(context)):
            found = {each: places}
    if not found:
        listed = "\n".join(f"  {each.NAME}: {each.LOOKED_FOR}" for each in FORMATS.values())
        listed = "\n".join([listed, *context.tree.unreadable.values()])
        raise InvalidDatasetError(f"'{source}' holds no export that is known. Looked for:\n{listed}")
    if len(found) > 1:
        listed = ", ".join(f"{each.NAME} ({each.LOOKED_FOR})" for each in found)
        raise InvalidDatasetError(f"'{source}' fits several formats: {listed}; choose one with --format.")
    ((format_, places),) = found.items()
    return format_, _only(places, format_, context)


def _only(places: list[str], format_: Format, context: Context) -> str:
    if len(places) > 1:
        listed = ", ".join(place or "." for place in places)
        raise InvalidDatasetError(
            f"'{context.tree.source}' holds {len(places)} exports of {format_.TITLE}: {listed}; import them one by one."
        )
    return places[0]
