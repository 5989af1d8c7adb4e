"""Finds the pictures that tasks of Label Studio are about."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keras_segformer.data.importers.label_studio import configurations, layer_files
from keras_segformer.data.importers.labels import Context, ExportFile
from keras_segformer.data.importers.tree import is_image, text_of, without_suffix


def shown_keys(context: Context) -> dict[str, str]:
    """The key of a task's data that every picture of the labelling configuration shows, by the picture's name."""
    keys = {}
    for configuration in configurations(context):
        for element in configuration.iter("Image"):
            value = text_of(element.get("value") or element.get("valueList"))
            keys[text_of(element.get("name"))] = value.removeprefix("$")
    return keys


def has_several_pictures(task: Mapping[str, Any]) -> bool:
    """Returns True if the data of a task name pictures that differ, rather than one picture in several ways."""
    shortest = [min(names, key=len) for pages in _pictures(task).values() for names in pages]
    longest = max(shortest, key=len, default="")
    return not all(f"/{longest}".endswith(f"/{name.lstrip('/')}") for name in shortest)


def names_of_shown(
    task: Mapping[str, Any], keys: Mapping[str, str], shown: str | None, page: int | None
) -> list[str] | None:
    """Possible names of the picture that a result is about.

    Args:
        task: The task.
        keys: What `shown_keys` returned.
        shown: The name of the picture in the labelling configuration.
        page: Which of a list of pictures, from 0.

    Returns:
        The names, the most likely first; `None` where it does not follow which picture is meant.
    """
    pictures = _pictures(task)
    key = keys.get(shown or "", shown)
    if key not in pictures and len(pictures) == 1:
        key = next(iter(pictures))
    pages = pictures.get(key or "", [])
    if len(pages) == 1 and page is None:
        page = 0
    return pages[page] if isinstance(page, int) and 0 <= page < len(pages) else None


def find_task_image(
    context: Context, task: Mapping[str, Any], names: Iterable[str] | None = None
) -> tuple[ExportFile | None, str]:
    """The picture of a task, and its path without suffix, which is also known where the picture is not there.

    Args:
        context: The export.
        task: The task.
        names: Its possible names; by default all that the data of the task hold.
    """
    layers = layer_files(context)
    names = [name for name in _names(task) if is_image(name)] if names is None else list(names)
    for name in names:
        image = context.find_image(name, ["images", ""], layers.__contains__)
        if image is not None:
            return image, without_suffix(name)
    identifier = task.get("id")
    image = context.find_image(f"task-{identifier}", ["images", ""], layers.__contains__)
    return image, without_suffix(names[0]) if names else f"task-{identifier}"


def _data(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a task shows, which lies beside its labels in the short form."""
    data = task.get("data")
    return data if isinstance(data, Mapping) else task


def _names(task: Mapping[str, Any]) -> Iterator[str]:
    """Possible names of the picture of a task, the most likely first."""
    for name in (task.get("file_upload"), *_data(task).values()):
        if isinstance(name, str) and name:
            yield from _plain_names(name)


def _pictures(task: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """The possible names of every page of every picture in the data of a task, by its key."""
    found = {}
    for key, value in _data(task).items():
        values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        pages = [[name for name in _plain_names(each) if is_image(name)] for each in values if isinstance(each, str)]
        if pages and all(pages) and key != "file_upload":
            found[key] = pages
    return found


def _plain_names(value: str) -> Iterator[str]:
    """Paths in a URL or a path of the server: `/data/local-files/?d=a%20b.jpg`, `/data/upload/1/0f1e2d3c-a.jpg`."""
    parsed = urllib.parse.urlsplit(value.replace("\\", "/"))
    query = urllib.parse.parse_qs(parsed.query)
    paths = [*query.get("d", ()), *query.get("fileuri", ()), urllib.parse.unquote(parsed.path), parsed.path]
    for path in paths:
        if path:
            yield path
            folder, _, name = path.rpartition("/")
            without_hash = re.sub(r"^[0-9a-f]{8}-", "", name)
            if without_hash != name:
                yield f"{folder}/{without_hash}" if folder else without_hash
