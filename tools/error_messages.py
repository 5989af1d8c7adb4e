"""The error messages of the package, collected from its `raise` statements, each with its cause and remedy.

House rule: a message is one sentence, "cause; remedy". Where the remedy is not part of it, because the message is a
fragment of another one or the remedy is found while the program runs, `REMEDIES` or `FOLDER_REMEDIES` has it.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import syntax_trees

ROOT = Path(__file__).parents[1]
SOURCES = ("keras_segformer", "conversion")
GAP = "…"
"""Stands for what differs from case to case."""

MAKES_ITS_OWN = ("MissingExtraError",)
"""Exceptions of this package whose arguments are not the message."""

INTERNAL = ("EOFError", "PydanticCustomError", "RuntimeError")
"""Exceptions that the package raises and catches itself."""

ARGUMENT_ERRORS = ("ArgumentTypeError", "InvalidDatasetError", "InvalidRecipeError", "TypeError", "ValueError")

STATES_WHAT_IS_ALLOWED = re.compile(
    r"; got .*$|\b(must|needs?|may not|cannot be|is not an?|is neither|is an object with|is a name, a url)\b"
)
"""Messages of those exceptions that name the allowed values, from which the remedy follows."""

AREAS = (
    ("Pictures", ("images.py", "image_formats.py", "bit_depth.py", "visualization.py")),
    ("Presets and weights", ("presets/", "licenses.py", "label_sets/")),
    ("Networks", ("models/", "layers/", "keywords.py", "segformer.py", "analysis/")),
    ("Prediction", ("predict/",)),
    ("Imports of labels", ("data/importers/",)),
    ("Data sets and masks", ("data/", "mask_rules.py", "mask_tensors.py")),
    ("Training", ("training/",)),
    ("Evaluation", ("evaluation/",)),
    ("Conversion", ("conversion/", "runtime/")),
    ("Command line, notebooks and files", ("",)),
)
"""Headings, and the beginnings of the paths below them; the first that fits counts."""

FOLDER_REMEDIES = {
    "conversion/tflite/": "Convert the file again, or get it again from where it was made.",
    "keras_segformer/data/": "`keras-segformer data check` names the files; repair them, or use --skip-bad.",
    "keras_segformer/data/importers/": "Export it again from the labelling tool; the import leaves this part out and "
    "reports it.",
    "keras_segformer/files.py": "Close the programs that use the file, or choose another place.",
    "keras_segformer/json_text.py": "Get the file again, or correct it; no file of its kind is so large or so deep.",
    "keras_segformer/presets/": "Get the preset again, whole; check that the configuration belongs to the weights.",
}
"""Remedies of messages that do not carry their own, by the beginning of the path; the longest that fits counts."""

REMEDIES = {
    "the files for … are in INT8, which is fitted to pictures: name some dozen that look like what the camera will see "
    "with --calibration DIR, or take --processors gpu": "Name pictures with --calibration, or take --processors gpu.",
    "No file suits …: ….": "Leave out one of the clients or options; the message says which cannot go together.",
    "adb …: …": "Follow adb's own message; `adb devices` shows what is connected.",
    "The metric … ….": "Correct the masks; `keras-segformer data check` names the files.",
    "…: ….": "Correct the masks, or the number of classes; the message says which class is in doubt.",
    "Give either an encoder in the config or a backbone of your own, and not both.": "Set `encoder=None` for a "
    "backbone of your own, and leave the backbone out otherwise.",
    "The folder … is not empty: go on with the run in it with `--resume`, or name another folder.": "Use `--resume` or "
    "name another folder.",
    "'…' does not run within … MiB.": "Convert the file for smaller pictures (--input-size), or allow more memory.",
    "'…' is not a label set: …": "Correct the field that the message names.",
    "'…' does not hold …; looked for ….": "Leave --format out, or name the one that the folder was exported in.",
    "'…' holds no export that is known. Looked for: …": "Name the folder that holds one of these, or choose --format.",
    "Invalid SegFormer configuration: ….": "Change the field that the message names.",
    "The teacher … cannot teach this data set: …": "Name another --teacher, or set `teacher.class_mapping`.",
}
"""Remedies of single messages."""

_GOT_AND_REMEDY = re.compile(r"(.*; got [^:]*): (.*)")


@dataclasses.dataclass(frozen=True)
class Message:
    """An error message.

    Args:
        error: Name of the exception.
        cause: What is wrong.
        remedy: What to do about it; empty where none is known.
        path: The file that raises it, relative to the repository.
    """

    error: str
    cause: str
    remedy: str
    path: str


def collect() -> list[Message]:
    """Returns every message once, in the order of the files."""
    found: dict[tuple[str, str], Message] = {}
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            for message in _messages(path):
                found.setdefault((message.error, message.cause), message)
    return list(found.values())


def by_area(messages: list[Message]) -> dict[str, list[Message]]:
    """Sorts messages under the headings of `AREAS`.

    Args:
        messages: The messages.

    Returns:
        Those of every heading.
    """
    areas: dict[str, list[Message]] = {title: [] for title, _ in AREAS}
    for message in messages:
        path = message.path.removeprefix("keras_segformer/")
        areas[next(title for title, starts in AREAS if path.startswith(starts))].append(message)
    return areas


def table(messages: list[Message]) -> str:
    """Writes messages as Markdown tables, one for every area.

    Args:
        messages: The messages.

    Returns:
        The headings and tables.
    """
    parts = []
    for title, listed in by_area(messages).items():
        if listed:
            rows = (f"| {_cell(each.cause)} | {_cell(each.remedy)} | `{each.error}` |" for each in listed)
            parts.append("\n".join([f"### {title}\n", "| message | remedy | exception |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def _messages(path: Path) -> Iterator[Message]:
    relative = path.relative_to(ROOT).as_posix()
    for node in ast.walk(syntax_trees.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
            yield from (_split(node.name, text, relative) for text in _fixed_messages(node))
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
            continue
        error = ast.unparse(node.exc.func).rpartition(".")[2]
        if not error.endswith("Error") or error.startswith("_") or error in INTERNAL:
            continue
        if error in MAKES_ITS_OWN or not node.exc.args:
            continue
        template = _template(node.exc.args[1] if _is_os_error(error, node.exc) else node.exc.args[0])
        if template.strip(f"{GAP} "):
            yield _split(error, template, relative)


def _fixed_messages(error: ast.ClassDef) -> Iterator[str]:
    """Messages that an exception makes itself."""
    for node in ast.walk(error):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__" and node.args:
            yield _template(node.args[0])


def _is_os_error(error: str, call: ast.Call) -> bool:
    """Whether the first argument is a number and not the message."""
    return error == "OSError" and len(call.args) > 1


def _template(node: ast.expr) -> str:
    """The text of a message, with gaps for what is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_template(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _template(left) + _template(right)
        case _:
            return GAP


def _split(error: str, template: str, path: str) -> Message:
    """Divides a message into cause and remedy."""
    text = " ".join(template.split())
    if text in REMEDIES:
        return Message(error, text, REMEDIES[text], path)
    if advised := _GOT_AND_REMEDY.fullmatch(text):
        return Message(error, advised[1], _sentence(advised[2]), path)
    cause, mark, remedy = text.rpartition("; ")
    if not mark or remedy.startswith("got "):
        cause, mark, remedy = text.partition(". ")
    if not mark:
        cause, remedy = text, _known_remedy(error, text, path)
    elif not remedy.strip(f"{GAP} ."):
        remedy = "Do what the message ends with; it depends on the case."
    return Message(error, cause, _sentence(remedy), path)


def _known_remedy(error: str, text: str, path: str) -> str:
    if error in ARGUMENT_ERRORS and STATES_WHAT_IS_ALLOWED.search(text):
        return "Give a value that the message allows."
    fitting = [start for start in FOLDER_REMEDIES if path.startswith(start)]
    return FOLDER_REMEDIES[max(fitting, key=len)] if fitting else ""


def _sentence(text: str) -> str:
    """A text that begins with a capital, unless it begins with code or a gap, and ends in a full stop."""
    if not text:
        return ""
    text = text if text.startswith(("`", "'", GAP, "--")) else text[0].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _cell(text: str) -> str:
    """A text that Markdown shows as it is in a table."""
    for character, entity in (("|", "&#124;"), ("<", "&lt;"), ("{", "&#123;"), ("*", "&#42;"), ("[", "&#91;")):
        text = text.replace(character, entity)
    return text
