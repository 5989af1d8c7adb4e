"""Identifies the tool that wrote a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COCO, PANOPTIC, LABELME, LABEL_STUDIO = "coco", "coco-panoptic", "labelme", "label-studio"

GEOMETRY = ("rle", "points", "radiusX", "width", "imageDataURL")
"""Keys of a value of Label Studio that has an area."""


def json_kind(document: Any) -> str | None:
    """Identifies the kind of a JSON file.

    Args:
        document: The content of a file.

    Returns:
        `COCO`, `PANOPTIC`, `LABELME` or `LABEL_STUDIO`; `None` for any other.

    Example:

    >>> json_kind({"shapes": [], "imagePath": "a.jpg"})
    'labelme'
    """
    if isinstance(document, dict):
        if isinstance(document.get("shapes"), list) and "imagePath" in document:
            return LABELME
        if isinstance(document.get("images"), list) and isinstance(document.get("annotations"), list):
            return PANOPTIC if _has_segments(document["annotations"]) else COCO
    return LABEL_STUDIO if any(map(is_task, tasks_of(document))) else None


def tasks_of(document: Any) -> list[Any]:
    """The tasks of Label Studio in a file: a list of them, or a single one."""
    return document if isinstance(document, list) else [document]


def is_task(task: Any) -> bool:
    """Whether something is a task of Label Studio, in the full or the short form."""
    if not isinstance(task, dict):
        return False
    if isinstance(task.get("annotations", task.get("completions")), list) and isinstance(task.get("data"), dict):
        return True
    return any(is_short_value(value) for each in task.values() if isinstance(each, list) for value in each)


def is_blank_record(task: Any) -> bool:
    """Whether something is an annotation in the short form that holds no region: its picture is all background."""
    return isinstance(task, dict) and "annotation_id" in task and "data" not in task and not is_task(task)


def is_short_value(value: Any) -> bool:
    """Whether something is a region in the short form, JSON-MIN."""
    return isinstance(value, Mapping) and "original_width" in value and any(key in value for key in GEOMETRY)


def _has_segments(annotations: list[Any]) -> bool:
    return any(isinstance(each, dict) and "segments_info" in each for each in annotations)
