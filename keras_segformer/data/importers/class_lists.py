"""Reads files in which tools or users list classes with their names, colours and values."""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_segformer.data.importers.labels import IGNORED, RGB, LabelClass, color_of, parse_color
from keras_segformer.data.importers.tree import Tree, text_of
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet

LIST_NAMES = (
    "classes.json", "dataset_meta.json", "labelmap.txt", "label_colors.txt", "class_dict.csv", "label_class_dict.csv",
    "class_dict_seg.csv", "_classes.csv", "class_names.txt", "labels.txt", "classes.txt", "codes.txt",
    "obj.names",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ClassList:
    """Classes with their values and colours in masks.

    Args:
        classes: The classes in their order.
        values: The name of every value.
        path: The file that they are from.
    """

    classes: list[LabelClass]
    values: dict[int, str]
    path: str = ""

    @property
    def colors(self) -> dict[RGB, str]:
        """The name of every colour."""
        return {each.color: each.name for each in reversed(self.classes) if each.color is not None}

    @property
    def shared_colors(self) -> list[str]:
        """What is wrong with colours that several classes have, as sentences."""
        by_color: dict[RGB, list[str]] = defaultdict(list)
        for each in self.classes:
            if each.color is not None:
                by_color[each.color].append(each.name)
        return [
            f"{self.path} has one colour for {' and '.join(names)}, which coloured masks do not tell apart: they are "
            f"all '{names[0]}'; give each a colour of its own and export again."
            for names in by_color.values()
            if len(names) > 1
        ]


def read_class_file(path: Path) -> ClassList:
    """Reads a list of classes that the user names.

    Args:
        path: A `classes.json`, or one of the other kinds that `read_class_list` knows.

    Returns:
        The classes.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidDatasetError: It names no class.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file '{path}'; name a classes.json or a text with a class a line")
    return read_class_list(Tree(path.parent), path.name)


def read_class_list(tree: Tree, path: str) -> ClassList:
    """Reads one of the files in which classes are listed.

    Args:
        tree: The export.
        path: `classes.json` of this package, datumaro's `dataset_meta.json`, CVAT's `labelmap.txt` (`name:r,g,b::`),
            `label_colors.txt` (`r g b name` or `name: r, g, b`), a CSV (`name,r,g,b`, `value,name,r,g,b`, `r,g,b,name`
            or `value,name`), or a text with a name a line, numbered or not: without numbers the first has the value 0,
            or 255 and the second 0 where it begins with labelme's `__ignore__`.

    Returns:
        The classes.

    Raises:
        InvalidDatasetError: It names no class.

    Example:

    ```python
    read_class_list(Tree("export"), "labelmap.txt").colors
    ```
    """
    name = posixpath.basename(path).casefold()
    if name.endswith(".json"):
        found = _from_json(tree.json(path), path)
    elif name.endswith(".csv"):
        found = _from_csv(tree.rows(path), path)
    elif _looks_like_labelmap(tree.lines(path)):
        found = _from_labelmap(tree.lines(path))
    else:
        lines = [line for line in tree.lines(path) if not line.startswith("#")]
        found = _from_colors(lines) or _from_numbered(lines) or _from_names(lines)
    if not found.classes:
        raise InvalidDatasetError(f"{path} names no class; add a name a line.")
    return dataclasses.replace(found, path=path)


def find_class_list(tree: Tree, folder: str = "", names: tuple[str, ...] = LIST_NAMES) -> ClassList | None:
    """The first list of classes in a folder or at the root of the export, else the only one anywhere.

    Returns:
        The classes; `None` if there is no list, or several in other folders.
    """
    found = [path for name in names for path in tree.named(name)]
    near = [path for path in found if posixpath.dirname(path) in ("", folder)]
    chosen = near[:1] or (found if len(found) == 1 else [])
    return read_class_list(tree, chosen[0]) if chosen else None


def _from_json(document: object, path: str) -> ClassList:
    if isinstance(document, dict) and isinstance(document.get("label_map"), dict):  # datumaro
        return _numbered(document["label_map"], document.get("segmentation_colors"))
    if isinstance(document, dict) and isinstance(document.get("labels"), list):  # datumaro, too
        return _numbered(dict(enumerate(document["labels"])), document.get("segmentation_colors"))
    if isinstance(document, dict) and isinstance(document.get("classes"), list):
        return _from_records(document["classes"])
    if isinstance(document, dict) and document and all(key.isdecimal() for key in document):
        return _numbered(document, None)
    if isinstance(document, list):
        return _from_records(document)
    if isinstance(document, dict) and document and all(type(value) is int for value in document.values()):
        return _numbered({value: name for name, value in document.items()}, None)
    try:
        label_set = LabelSet.from_dict(document)
    except (ValueError, TypeError) as error:
        raise InvalidDatasetError(f"{path} is not a label set: {error}.") from error
    classes = [LabelClass(*pair) for pair in zip(label_set.names, label_set.palette, strict=True)]
    names = {**dict(enumerate(label_set.names)), label_set.ignore_index: IGNORED}
    return ClassList(classes, {raw: names[index] for raw, index in label_set.raw_to_train.items()})


def _from_records(records: list[Any]) -> ClassList:
    """Names, or objects with a name, perhaps a colour and an id, such as in Supervisely's `meta.json`."""
    if not any(isinstance(each, dict) for each in records):
        return _from_names([text_of(name) for name in records])
    classes, values = [], {}
    for each in records:
        name = text_of(each.get("name") or each.get("title")) if isinstance(each, dict) else ""
        if name:
            color = each.get("color")
            classes.append(LabelClass(name, parse_color(color) if isinstance(color, str) else color_of(color)))
            # Supervisely's ids count the classes of all of its users.
            if type(each.get("id")) is int and "title" not in each:
                values[each["id"]] = name
    return ClassList(classes, values)


def _numbered(names: Mapping[Any, Any], colors: Any) -> ClassList:
    """Names by their values, with colours in the same order."""
    classes = [
        LabelClass(text_of(name), color_of(colors[position]) if colors and position < len(colors) else None)
        for position, name in enumerate(names.values())
    ]
    values = {int(value): text_of(name) for value, name in names.items() if str(value).isdecimal()}
    return ClassList(classes, values)


def _from_csv(rows: list[list[str]], path: str) -> ClassList:
    """`name,r,g,b`, `value,name,r,g,b`, `r,g,b,name` or `Pixel Value, Class`, with or without a header."""
    classes, values = [], {}
    for position, row in enumerate(map(_with_parts_of_colors, rows)):
        if len(row) >= 4 and all(cell.isdecimal() for cell in row[:3]) and not row[-1].isdecimal():
            classes.append(LabelClass(text_of(",".join(row[3:])), color_of([int(cell) for cell in row[:3]])))
            values[len(classes) - 1] = classes[-1].name
        elif len(row) >= 5 and all(cell.isdecimal() for cell in (row[0], *row[-3:])):
            classes.append(LabelClass(text_of(",".join(row[1:-3])), color_of([int(cell) for cell in row[-3:]])))
            values[int(row[0])] = classes[-1].name
        elif len(row) >= 4 and all(cell.isdecimal() for cell in row[-3:]):
            classes.append(LabelClass(text_of(",".join(row[:-3])), color_of([int(cell) for cell in row[-3:]])))
            values[len(classes) - 1] = classes[-1].name
        elif len(row) >= 2 and row[0].isdecimal():
            classes.append(LabelClass(text_of(",".join(row[1:]))))
            values[int(row[0])] = classes[-1].name
        elif position:
            raise InvalidDatasetError(f"{path} has a row that is neither 'value, name' nor 'name, r, g, b': {row}.")
    return ClassList([each for each in classes if each.name], {value: name for value, name in values.items() if name})


def _with_parts_of_colors(row: list[str]) -> list[str]:
    """A row with a cell for red, green and blue each, where one holds all three, such as `(0, 0, 255)` or `#0000ff`."""
    cells: list[str] = []
    for cell in row:
        color = re.fullmatch(_COLOR, cell)
        from_digits = parse_color(cell) if cell.startswith("#") else None
        cells += color.groups() if color else map(str, from_digits) if from_digits else [cell]
    return cells


def _looks_like_labelmap(lines: list[str]) -> bool:
    rows = [line for line in lines if not line.startswith("#")]
    return bool(rows) and all(_LABELMAP.fullmatch(row) for row in rows)


_LABELMAP = re.compile(r"(?P<name>.+?):(?P<color>\d+\s*,\s*\d+\s*,\s*\d+)?:(?P<parts>[^:]*):(?P<actions>[^:]*)")


def _from_labelmap(lines: list[str]) -> ClassList:
    found = [match for match in map(_LABELMAP.fullmatch, lines) if match and not match.string.startswith("#")]
    classes = [
        LabelClass(
            text_of(match["name"]),
            color_of([int(part) for part in match["color"].split(",")] if match["color"] else None),
        )
        for match in found
    ]
    return ClassList(classes, {index: each.name for index, each in enumerate(classes)})


def _from_colors(lines: list[str]) -> ClassList | None:
    """`r g b name` or `name: r, g, b`, with or without brackets and a header; `None` if the lines are otherwise."""
    rows = lines if any(map(str.isdecimal, "".join(lines[:1]))) else lines[1:]
    for pattern in (_COLOR_FIRST, _COLOR_LAST):
        matches = [match for match in map(pattern.fullmatch, rows) if match]
        if rows and len(matches) == len(rows):
            classes = [
                LabelClass(text_of(match["name"]), color_of([int(match[part]) for part in "rgb"])) for match in matches
            ]
            return ClassList(classes, {index: each.name for index, each in enumerate(classes)})
    return None


_COLOR = r"[\[(]?\s*(?P<r>\d{1,3})[\s,]+(?P<g>\d{1,3})[\s,]+(?P<b>\d{1,3})\s*[\])]?"
_COLOR_FIRST = re.compile(_COLOR + r"[\s:,;]+(?P<name>\S.*)")
_COLOR_LAST = re.compile(r"(?P<name>\S.*?)[\s:=,;]+" + _COLOR + r",?")


def _from_numbered(lines: list[str]) -> ClassList | None:
    """`7: name`, or `0 name`, `1 name`, … in order; `None` if the lines are otherwise."""
    matches = [match for match in map(_NUMBERED.fullmatch, lines) if match]
    numbers = [int(match["value"]) for match in matches]
    if not lines or len(set(numbers)) < len(lines):
        return None
    # Names such as "1 euro" begin with numbers, too.
    if not all(match["mark"].strip() for match in matches) and numbers != list(range(len(numbers))):
        return None
    values = {number: text_of(match["name"]) for number, match in zip(numbers, matches, strict=True)}
    return ClassList([LabelClass(name) for name in values.values()], values)


_NUMBERED = re.compile(r"(?P<value>\d{1,5})(?P<mark>\s*[:,;=]\s*|\s+)(?P<name>\S.*)")


def _from_names(lines: list[str]) -> ClassList:
    names = [text_of(line) for line in lines if not line.startswith("#")]
    ignored = 1 if names and names[0] == "__ignore__" else 0
    values = {index - ignored: name for index, name in enumerate(names)}
    if ignored:
        values[255] = values.pop(-1)
    return ClassList(
        [LabelClass(name) for name in names if name], {index: name for index, name in values.items() if name}
    )
