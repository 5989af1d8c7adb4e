"""Label Studio's "Brush labels to PNG" and "to NumPy": a layer of opacity per annotation and label."""

from __future__ import annotations

import functools
import io
import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_segformer.data.importers.label_studio import (
    annotations_of,
    configured_classes,
    layer_files,
    task_files,
    tasks_in,
)
from keras_segformer.data.importers.label_studio_pictures import find_task_image, has_several_pictures
from keras_segformer.data.importers.labels import Context, Export, LabelClass, Painting, Picture, merge_classes
from keras_segformer.data.importers.pixels import read_layer
from keras_segformer.data.importers.polygons import Size
from keras_segformer.errors import InvalidDatasetError

NAME = "label-studio-png"
TITLE = 'Label Studio "Brush labels to PNG" or "to NumPy"'
LOOKED_FOR = "files named task-…-annotation-…-by-….png or .npy"


class _Layer(NamedTuple):
    path: str
    task: int
    annotation: int
    rest: str  # the control's name, a dash, and the label


def detect(context: Context) -> list[str]:
    """The export, if it holds such files."""
    return [""] if layer_files(context) else []


def read(context: Context, _root: str) -> Export:
    """Reads all layers of an export.

    Args:
        context: The export.
        _root: Not used: the files may lie anywhere.

    Returns:
        The labels of the labelling configuration, or those in the names of the files.
    """
    layers = _layers(context)
    configured, controls = configured_classes(context)
    names = [each.name for each in configured]
    labels, notes = _labels([layer.rest for layer in layers], names, controls)
    by_picture: dict[int, dict[int, list[_Layer]]] = defaultdict(lambda: defaultdict(list))
    for layer in layers:
        by_picture[layer.task][layer.annotation].append(layer)
    tasks = {task.get("id"): task for path in task_files(context) for task in tasks_in(context, path)}
    pictures, empty, problems, others = [], [], [], 0
    known: set[str] = set()
    for number, drawn in sorted(by_picture.items()):
        if has_several_pictures(tasks.get(number, {})):
            problems.append(
                f"Task {number} has several pictures, and the names of its layers do not say which they are of; export "
                "it as JSON."
            )
            continue
        chosen = _choose(context, tasks.get(number, {}), drawn)
        others += len(drawn) - len(chosen)
        image, name = _image(context, tasks.get(number), number, len(by_picture))
        if not chosen:
            known.update([image.path] if image else [])
            empty.append(f"{image.path if image else name} (task {number}, whose annotation that counts has no layer)")
        plain = posixpath.basename(name)
        for annotation in chosen:
            own = drawn[annotation]
            pictures.append(
                Picture(
                    name=f"{plain}-annotation-{annotation}" if len(chosen) > 1 else plain,
                    image_name=name,
                    source=f"task {number}, annotation {annotation}",
                    load=functools.partial(_load, context, [(labels[layer.rest], layer.path) for layer in own]),
                    image=image,
                )
            )
    if others:
        notes.append(
            f"{others} annotations of pictures that have several are left out (--annotation newest, oldest or each)."
        )
    known |= {layer.path for layer in layers}
    new = sorted(set(labels.values()) - set(names))
    return Export(
        classes=merge_classes([*configured, *map(LabelClass, new)]),
        pictures=pictures,
        order="area",
        rules=[
            f"Layers count from an opacity of {context.options.alpha_threshold} of 255 (--alpha-threshold): their "
            "edges are soft.",
            "Several files of one label are united; smaller labels lie over larger ones, since the files have no "
            "order.",
            f"Of several annotations of a picture, {context.options.annotation} counts.",
        ],
        notes=notes,
        problems=problems,
        without_label=[*empty, *(path for path in context.unused_images(pictures) if path not in known)],
    )


def _layers(context: Context) -> list[_Layer]:
    return [
        _Layer(path, int(match["task"]), int(match["annotation"]), match["rest"])
        for path, match in layer_files(context).items()
    ]


def _labels(rests: list[str], names: list[str], controls: list[str]) -> tuple[dict[str, str], list[str]]:
    """The label in the end of every file name, which begins with the name of a control.

    Both may hold dashes: the labels and controls that are known decide. Where none are, the first word is the control.
    """
    by_written = {re.sub(r"[\\/]", "-", name): name for name in names}
    found, unclear = {}, []
    for rest in dict.fromkeys(rests):
        fits = [(control, label) for control, label in _splittings(rest) if _known(label, by_written)]
        fits = [each for each in fits if each[0] in controls] or fits
        if fits:
            # The longest: "sports-car" rather than "car" behind a control named "tag-sports".
            label = max((label for _, label in fits), key=len)
            found[rest] = by_written.get(label) or by_written[_first(label, by_written)]
        else:
            control = next((each for each in controls if rest.startswith(f"{each}-")), rest.partition("-")[0])
            found[rest] = rest[len(control) + 1 :] or rest
            unclear.append(found[rest])
    notes = []
    if unclear:
        notes.append(
            "These labels are read from file names, in which dashes part them from the name of the control and "
            f"stand for '/': {', '.join(sorted(set(unclear)))} (--classes FILE names them rightly)."
        )
    return found, notes


def _splittings(rest: str) -> Iterable[tuple[str, str]]:
    return [(rest[: dash.start()], rest[dash.end() :]) for dash in re.finditer("-", rest)]


def _known(label: str, by_written: Mapping[str, str]) -> bool:
    return label in by_written or _first(label, by_written) is not None


def _first(label: str, by_written: Mapping[str, str]) -> str | None:
    """The first of several known labels that are joined by dashes."""
    for written in sorted(by_written, key=len, reverse=True):
        if label.startswith(f"{written}-") and _known(label[len(written) + 1 :], by_written):
            return written
    return None


def _choose(context: Context, task: Mapping[str, Any], annotations: Mapping[int, object]) -> list[int]:
    """The annotations of a picture that count; their ids grow with time."""
    if any(each.get("id") in annotations for each in task.get("annotations") or []):
        # An annotation without any layer has no file, and counts all the same.
        return sorted(each["id"] for each in annotations_of(context, task)[0] if each.get("id") in annotations)
    numbers = sorted(annotations)
    if context.options.annotation == "each":
        return numbers
    return numbers[-1:] if context.options.annotation == "newest" else numbers[:1]


def _image(context: Context, task: Mapping[str, Any] | None, number: int, count: int) -> tuple[Any, str]:
    if task is not None:
        return find_task_image(context, task)
    image = context.find_image(f"task-{number}", ["images", ""])
    if image is None and count == 1 and context.elsewhere and len(context.elsewhere.paths) == 1:
        image = context.find_image(context.elsewhere.paths[0])
    return image, f"task-{number}"


def _load(context: Context, layers: list[tuple[str, str]], _size: object) -> Painting:
    by_label: dict[str, list[str]] = defaultdict(list)
    for label, path in layers:
        by_label[label].append(path)
    painting = Painting([])
    for label, paths in by_label.items():
        masks = []
        for path in paths:
            try:
                masks.append(_opacity(context, path) >= context.options.alpha_threshold)
            except InvalidDatasetError as error:
                painting.problems.append(f"has the layer {path}, which {error}")
        if masks:
            painting.size = masks[0].shape
            painting.add(label, _united(masks))
    if not painting.regions:
        raise InvalidDatasetError(f"has no layer that can be read: {'; '.join(painting.problems)}")
    return painting


def _united(masks: list[np.ndarray]) -> Callable[[Size], np.ndarray]:
    def draw(size: Size) -> np.ndarray:
        for mask in masks:
            if mask.shape != size:
                raise InvalidDatasetError(
                    f"has {mask.shape[1]}x{mask.shape[0]} pixels, but the picture has {size[1]}x{size[0]}"
                )
        return np.logical_or.reduce(masks)

    return draw


def _opacity(context: Context, path: str) -> np.ndarray:
    data = context.tree.read(path)
    if not path.lower().endswith(".npy"):
        return read_layer(data)
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InvalidDatasetError(f"cannot be read as a NumPy array ({error})") from error
    if array.ndim != 2:
        raise InvalidDatasetError(f"has the shape {array.shape} instead of height and width")
    return array
