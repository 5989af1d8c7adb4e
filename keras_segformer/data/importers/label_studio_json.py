"""Label Studio's JSON and JSON-MIN: polygons, rectangles, ellipses, brushes and the magic wand."""

from __future__ import annotations

import dataclasses
import functools
import posixpath
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_segformer.data.importers.json_kinds import is_short_value
from keras_segformer.data.importers.label_studio import (
    annotations_of,
    cancelled,
    choose_version,
    configured_classes,
    label_of,
    layer_files,
    require_upright,
    task_files,
    tasks_in,
)
from keras_segformer.data.importers.label_studio_pictures import (
    find_task_image,
    has_several_pictures,
    names_of_shown,
    shown_keys,
)
from keras_segformer.data.importers.labels import (
    Context,
    Export,
    ExportFile,
    LabelClass,
    Painting,
    Picture,
    merge_classes,
    numbers_of,
)
from keras_segformer.data.importers.pixels import decode_base64, read_layer
from keras_segformer.data.importers.polygons import Size, box_corners, check_points, ellipse_corners, rotate
from keras_segformer.data.importers.run_lengths import decode_label_studio
from keras_segformer.errors import InvalidDatasetError

NAME = "label-studio-json"
TITLE = "Label Studio JSON"
LOOKED_FOR = "a JSON list of tasks with data and annotations"

_RULE = "coco"
_PERCENT = 100


def detect(context: Context) -> list[str]:
    """Finds the JSON files of this format, which form one export."""
    # Beside the masks of the same project, the tasks only say which picture is whose.
    files = [] if layer_files(context) else task_files(context)
    return ["\n".join(files)] if files else []


def read(context: Context, paths: str) -> Export:
    """Reads all tasks of an export; the classes are those of the configuration, then others as they occur."""
    configured, _ = configured_classes(context)
    names = [each.name for each in configured]
    export = Export(
        classes=configured,
        pictures=[],
        order="order",
        rules=[
            "Polygons, rectangles and ellipses, in percent of the picture, are filled by the rule "
            f"'{context.polygon_rule(_RULE)}'.",
            f"Brushes count from an opacity of {context.options.alpha_threshold} of 255.",
            "Later regions of the list lie over earlier ones.",
            f"Of several annotations of a picture, {context.options.annotation} counts; cancelled ones, drafts and "
            "predictions do not.",
        ],
    )
    others, keys = 0, shown_keys(context)
    for path in paths.split("\n") if paths else task_files(context):
        versions: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for position, task in enumerate(tasks_in(context, path)):
            if isinstance(task.get("data"), Mapping):
                others += _read_task(context, path, task, keys, export)
            else:
                versions[task.get("id", f"#{position}")].append(task)
        for records in versions.values():
            others += _read_short_form(context, path, records, export)
    if others:
        export.notes.append(
            f"{others} annotations of pictures that have several are left out (--annotation newest, oldest or each)."
        )
    occurring = dict.fromkeys(label for picture in export.pictures for label in _labels(picture))
    new = [label for label in occurring if label not in names]
    if configured and new:
        export.notes.append(
            f"Labels that the configuration does not list are added behind the others: {', '.join(new)}."
        )
    if not configured:
        export.notes.append("There is no labelling configuration: the classes are in the order in which they occur.")
    export.classes = merge_classes([*configured, *map(LabelClass, new)])
    export.without_label += context.unused_images(export.pictures)
    return export


def _read_task(context: Context, path: str, task: dict[str, Any], keys: Mapping[str, str], export: Export) -> int:
    """Adds the pictures of a task and returns how many annotations are left out."""
    annotations, others = annotations_of(context, task)
    if not annotations:
        image, image_name = find_task_image(context, task)
        why = "cancelled" if cancelled(task) else "only predicted" if task.get("predictions") else "not annotated"
        export.without_label.append(f"{image.path if image else image_name} (task {task.get('id')}, {why})")
    for annotation in annotations:
        version = f"-annotation-{annotation.get('id')}" if len(annotations) > 1 else ""
        results = annotation.get("result") or []
        try:
            labelled = _labelled_pictures(task, keys, results)
        except InvalidDatasetError as error:
            export.problems.append(f"Task {task.get('id')} in {path} {error}.")
            continue
        for names, own in labelled:
            image, image_name = find_task_image(context, task, names)
            picture = _picture(context, path, task, image, image_name, version, _regions(own))
            if names is not None:
                picture = dataclasses.replace(picture, source=f"{posixpath.basename(image_name)} of {picture.source}")
            export.pictures.append(picture)
    return others


def _read_short_form(context: Context, path: str, records: list[dict[str, Any]], export: Export) -> int:
    """The same of a task in the short form, which has a record for each annotation."""
    chosen = choose_version(context, records)
    for record in chosen:
        if has_several_pictures(record):
            export.problems.append(
                f"Task {record.get('id')} in {path} has several pictures, of which JSON-MIN does not say which its "
                "regions are of; export it as JSON."
            )
            continue
        image, image_name = find_task_image(context, record)
        version = f"-annotation-{record.get('annotation_id')}" if len(chosen) > 1 else ""
        regions = list(_short_regions(record))
        export.pictures.append(_picture(context, path, record, image, image_name, version, regions))
    return len(records) - len(chosen)


def _labelled_pictures(
    task: Mapping[str, Any], keys: Mapping[str, str], results: list[Any]
) -> list[tuple[list[str] | None, list[Any]]]:
    """The pictures that regions are about, by their possible names, with the results of each.

    The names are `None` where the task has but one picture.

    Raises:
        InvalidDatasetError: It does not follow which picture is meant. The message is the predicate of a sentence.
    """
    areas = [each for each in results if isinstance(each, dict) and _kind(each.get("value") or {})]
    shown = dict.fromkeys(map(_shown, areas))
    if len(shown) < 2 and not has_several_pictures(task):
        return [(None, results)]
    named = {each: names_of_shown(task, keys, *each) for each in shown}
    if not shown or None in named.values() or len(set(map(str, named.values()))) < len(named):
        raise InvalidDatasetError(
            f"has {_unclear(list(shown))}; add the labelling configuration (.xml), or label each picture in a task of "
            "its own"
        )
    # The label of a region may be a result of its own, which need not say the page.
    of_region = {each.get("id"): _shown(each) for each in areas}
    return [
        (names, [each for each in results if isinstance(each, dict) and of_region.get(each.get("id")) == place])
        for place, names in named.items()
    ]


def _unclear(shown: list[tuple[Any, Any]]) -> str:
    if not shown:
        return "several pictures and not one region, so that it is not known which is all background"
    if len(shown) == 1:
        return "several pictures, and nothing says which its regions are of"
    listed = ", ".join(str(name) if page is None else f"{name}, page {page}" for name, page in shown)
    return f"regions of several pictures ({listed}), of which it is not known which is which"


def _shown(result: Mapping[str, Any]) -> tuple[Any, Any]:
    """The picture in the labelling configuration that a result is about, and its page where there are several."""
    return result.get("to_name"), result.get("item_index")


def _picture(
    context: Context,
    path: str,
    task: Mapping[str, Any],
    image: ExportFile | None,
    image_name: str,
    version: str,
    regions: list[dict[str, Any]],
) -> Picture:
    return Picture(
        name=f"{posixpath.basename(image_name)}{version}",
        source=f"task {task.get('id')} in {path}",
        load=functools.partial(_load, context, regions),
        image=image,
        image_name=image_name,
    )


def _labels(picture: Picture) -> Iterator[str]:
    """The labels of regions that have an area, unlike key points."""
    for region in picture.load.args[1]:  # the regions that `_picture` has bound
        if _kind(region["value"]):
            yield from region["labels"][:1]


def _short_regions(task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for values in task.values():
        for value in values if isinstance(values, list) else ():
            if is_short_value(value):
                yield {"value": value, "labels": label_of(value), "result": value}


def _regions(results: list[Any]) -> list[dict[str, Any]]:
    """The results of an annotation, joined by id, since a shape and its label may be separate results."""
    regions: dict[Any, dict[str, Any]] = {}
    for position, result in enumerate(results):
        if not isinstance(result, dict) or not isinstance(result.get("value"), dict):
            continue  # relations have neither
        value = result["value"]
        region = regions.setdefault(
            result.get("id") or f"#{position}",
            {"value": {}, "labels": [], "result": result, "type": result.get("type")},
        )
        region["labels"] += [label for label in label_of(value) if label not in region["labels"]]
        if _kind(value):
            region["value"], region["result"] = value, result
    return list(regions.values())


def _kind(value: Mapping[str, Any]) -> str | None:
    if "rle" in value:
        return "brush"
    if "imageDataURL" in value:
        return "bitmask"
    if "points" in value:
        return "polygon"
    if "radiusX" in value:
        return "ellipse"
    # Key points have a width too, but no height.
    return "rectangle" if "width" in value and "height" in value else None


def _load(context: Context, regions: list[dict[str, Any]], size: Size | None) -> Painting:
    painting = Painting([], next(filter(None, map(_declared_size, regions)), None))
    skipped: Counter[str] = Counter()
    for region in regions:
        kind = _kind(region["value"])
        if kind is None:
            skipped[str(region.get("type") or "region without area")] += 1
            continue
        label = region["labels"][0] if region["labels"] else ""
        if len(region["labels"]) > 1:
            painting.problems.append(
                f"has a region with several labels, of which the first counts: {', '.join(region['labels'])}"
            )
        try:
            require_upright(region["result"])
            painting.add(label, _SHAPES[kind](context, region))
        except InvalidDatasetError as error:
            painting.problems.append(f"has a {kind} of {label or 'no label'!r} that {error}")
    painting.skipped = skipped
    return painting


def _declared_size(region: Mapping[str, Any]) -> Size | None:
    result = region["result"]
    if not result.get("original_height") or not result.get("original_width"):
        return None
    return int(result["original_height"]), int(result["original_width"])


def _brush(context: Context, region: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    declared = _declared_size(region)
    if declared is None:
        raise InvalidDatasetError("does not say the size of its picture")
    values = region["value"]["rle"]
    return _opaque(context, declared, lambda: decode_label_studio(values, declared))


def _bitmask(context: Context, region: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    opacity = read_layer(decode_base64(region["value"]["imageDataURL"]))
    return _opaque(context, opacity.shape, lambda: opacity)


def _opaque(context: Context, drawn_on: Size, decode: Callable[[], np.ndarray]) -> Callable[[Size], np.ndarray]:
    """Draws an opacity `(H, W)`, uint8, that covers the whole picture."""

    def draw(size: Size) -> np.ndarray:
        if drawn_on != size:
            raise InvalidDatasetError(
                f"was drawn on {drawn_on[1]}x{drawn_on[0]} pixels, but the picture has {size[1]}x{size[0]}"
            )
        return decode() >= context.options.alpha_threshold

    return draw


def _polygon(context: Context, region: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    return _in_percent(context, check_points(region["value"]["points"], at_least=3))


def _rotation(region: Mapping[str, Any]) -> float:
    return numbers_of(region["value"], "rotation")[0] if region["value"].get("rotation") else 0.0


def _rectangle(context: Context, region: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    x, y, width, height = numbers_of(region["value"], "x", "y", "width", "height")
    degrees = _rotation(region)

    def turn(corners: np.ndarray) -> np.ndarray:
        return rotate(corners, degrees, tuple(corners[0]))  # about the corner at the top left

    return _in_percent(context, box_corners(x, y, x + width, y + height), turn)


def _ellipse(context: Context, region: Mapping[str, Any]) -> Callable[[Size], np.ndarray]:
    x, y, radius_x, radius_y = numbers_of(region["value"], "x", "y", "radiusX", "radiusY")
    degrees = _rotation(region)

    def turn(corners: np.ndarray) -> np.ndarray:
        return rotate(corners, degrees, tuple((corners.min(axis=0) + corners.max(axis=0)) / 2))

    return _in_percent(context, ellipse_corners((x, y), (radius_x, radius_y)), turn)


def _in_percent(
    context: Context, corners: np.ndarray, turn: Callable[[np.ndarray], np.ndarray] = lambda corners: corners
) -> Callable[[Size], np.ndarray]:
    """Draws corners in percent; they are turned as pixels, since the two percents differ in length."""
    return lambda size: context.polygon(turn(corners / _PERCENT * (size[1], size[0])), _RULE)(size)


_SHAPES = {"brush": _brush, "bitmask": _bitmask, "polygon": _polygon, "rectangle": _rectangle, "ellipse": _ellipse}
