"""Parts that Label Studio's exports share: tasks in JSON and the labelling configuration."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from keras_segformer.data.importers.class_lists import read_class_file
from keras_segformer.data.importers.json_kinds import LABEL_STUDIO, is_blank_record, is_task, tasks_of
from keras_segformer.data.importers.labels import Context, LabelClass, merge_classes, parse_color
from keras_segformer.data.importers.tree import text_of
from keras_segformer.errors import InvalidDatasetError

_CONTROLS = re.compile(r"(Brush|Polygon|Rectangle|Ellipse|MagicWand|Bitmask|Vector)?Labels")


# An e-mail address keeps only letters, digits, @ and the full stop, so that it ends at the next dash.
_LAYER = re.compile(
    r"task-(?P<task>\d+)-annotation-(?P<annotation>\d+)-by-(?P<who>[^-]*)-(?P<rest>.+)-(?P<number>\d+)\.(png|npy)"
)


def layer_files(context: Context) -> dict[str, re.Match[str]]:
    """The files that hold the layer of a label, by their paths, with the parts of their names."""
    found = {path: _LAYER.fullmatch(posixpath.basename(path)) for path in context.tree.ending(".png", ".npy")}
    return {path: match for path, match in found.items() if match}


def task_files(context: Context) -> list[str]:
    """The JSON files with tasks, in the full or the short form."""
    return context.json_files(LABEL_STUDIO)


def tasks_in(context: Context, path: str) -> list[dict[str, Any]]:
    """The tasks of a JSON file, and the records of the short form, also those without a region."""
    return [each for each in tasks_of(context.tree.json(path)) if is_task(each) or is_blank_record(each)]


def configurations(context: Context) -> Iterator[Any]:
    """The root elements of the labelling configurations: XML files with `<View>`."""
    for path in context.tree.ending(".xml"):
        if b"<View" in context.tree.read(path)[:65536]:
            yield context.tree.xml(path)


def configured_classes(context: Context) -> tuple[list[LabelClass], list[str]]:
    """The labels of the labelling configuration, and the names of its controls.

    Args:
        context: The export.

    Returns:
        The classes of `--classes` or else of the first XML file with `<View>`; none where there is no such file. The
        controls are those of the XML file.
    """
    classes: list[LabelClass] = []
    controls: list[str] = []
    for configuration in configurations(context):
        for element in configuration.iter():
            if isinstance(element.tag, str) and _CONTROLS.fullmatch(element.tag):
                controls.append(text_of(element.get("name")))
                classes += [
                    LabelClass(text_of(label.get("value")), parse_color(label.get("background") or ""))
                    for label in element
                    if label.tag == "Label"
                ]
            elif element.tag in ("Brush", "MagicWand", "Polygon", "Rectangle", "Ellipse"):
                controls.append(text_of(element.get("name")))
        if classes:
            break
    if context.options.classes:
        classes = read_class_file(context.options.classes).classes
    return merge_classes(classes), controls


def annotations_of(context: Context, task: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Chooses among the annotations of a task.

    Args:
        context: The export, whose options say which of several is taken.
        task: The task.

    Returns:
        One, all for `annotation="each"`, or none, and how many others there are. Cancelled ones do not count; those
        marked as ground truth come before others.
    """
    finished = [
        each
        for each in task.get("annotations") or task.get("completions") or []
        if isinstance(each, dict) and not each.get("was_cancelled") and not each.get("skipped")
    ]
    if context.options.annotation == "each" or len(finished) < 2:
        return finished, 0
    newest = context.options.annotation == "newest"
    trusted = [each for each in finished if each.get("ground_truth")] or finished
    trusted.sort(key=_age, reverse=newest)
    return trusted[:1], len(finished) - 1


def cancelled(task: Mapping[str, Any]) -> bool:
    """Returns True if every annotation of a task was cancelled."""
    all_of = task.get("annotations") or task.get("completions") or []
    return bool(all_of) and all(
        isinstance(each, dict) and (each.get("was_cancelled") or each.get("skipped")) for each in all_of
    )


def choose_version(context: Context, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Chooses among the records of a task in the short form (JSON-MIN), which has one for each annotation."""
    if context.options.annotation == "each":
        return records
    newest = context.options.annotation == "newest"
    return sorted(records, key=lambda each: _age({**each, "id": each.get("annotation_id")}), reverse=newest)[:1]


def _age(annotation: Mapping[str, Any]) -> tuple[str, int]:
    identifier = annotation.get("id")
    time = annotation.get("updated_at") or annotation.get("created_at") or ""
    return str(time), identifier if isinstance(identifier, int) else 0


def label_of(value: Mapping[str, Any]) -> list[str]:
    """The labels of a region: those under `labels` or a key that ends so, such as `brushlabels`."""
    for key, labels in value.items():
        if key.endswith("labels") and isinstance(labels, list):
            return [text_of(label) for label in labels]
    return []


def require_upright(result: Mapping[str, Any]) -> None:
    """Refuses regions of pictures that were rotated in the tool, whose coordinates are ambiguous."""
    if result.get("image_rotation") not in (None, 0):
        raise InvalidDatasetError(
            f"was drawn on a picture turned by {result['image_rotation']} degrees, which is not read"
        )
