"""The operator version that an operation needs for its tensors, and the oldest runtime that has that version.

Converters write both into the file, but not always correctly. Given too low a version, a runtime may use a kernel that
does not support the tensors, and compute garbage without an error.

`versions.json` says which version the tensors of every operator need; `runtimes.json`, which `collect_runtimes.py`
writes, which runtimes have it.

Source: TensorFlow Lite's op_version.cc and runtime_version.cc and LiteRT's interpreter, named in the files.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from importlib import resources
from typing import Any

from keras_segformer.json_text import read_json

from ..tflite.reader import Node
from .conditions import facts, holds, once_per_node


@dataclasses.dataclass(frozen=True, kw_only=True)
class Requirement:
    """What an operation requires of a runtime.

    Args:
        needed: The lowest operator version that supports its tensors.
        because: The feature that older versions lack; empty if version 1 is enough.
        version: The version that a runtime must have: the needed one, or that in the file if it is higher, because
            runtimes look up the latter.
        runtime: The oldest TF Lite runtime that has this version; `None` if there is none or it is not known, as for
            custom operations.
    """

    needed: int
    because: str
    version: int
    runtime: str | None


@once_per_node
def requirement(node: Node) -> Requirement:
    """Compute the requirement of an operation from its tensors and options.

    Args:
        node: The operation.

    Returns:
        The requirement. For custom operations, it has the version in the file and no runtime.
    """
    if node.custom:
        return Requirement(needed=node.version, because="", version=node.version, runtime=None)
    rules = _rules().get(node.name, ())
    known = facts(node) if rules else {}
    rule = next((each for each in rules if holds(each["when"], known)), {"version": 1, "because": ""})
    version = max(node.version, rule["version"])
    return Requirement(
        needed=rule["version"],
        because=rule["because"],
        version=version,
        runtime=runtime_with(node.name, version),
    )


def runtime_with(name: str, version: int) -> str | None:
    """Look up the oldest TF Lite runtime that has an operator in a version.

    Args:
        name: The operator.
        version: Its version.

    Returns:
        A version such as `"2.9.0"`; `None` if no runtime up to `newest_runtime()` has it, or if the tables do not know
        the operator.

    Example:

    >>> runtime_with("FULLY_CONNECTED", 12), runtime_with("FULLY_CONNECTED", 99)
    ('2.17.0', None)
    """
    runtimes = _runtimes()["operators"].get(name, {"since": []})["since"]
    return runtimes[version - 1] if 1 <= version <= len(runtimes) else None


def version_in_litert(name: str) -> int | None:
    """Look up the newest version of an operator in the LiteRT that the tables are of.

    Args:
        name: The operator.

    Returns:
        The version; 0 if LiteRT has no kernel for the operator, and `None` if the tables do not know it, which then
        stems from a newer schema.

    Example:

    >>> version_in_litert("GELU"), version_in_litert("STABLEHLO_SORT"), version_in_litert("BUILTIN_9999")
    (3, 0, None)
    """
    return _runtimes()["operators"].get(name, {"litert": None})["litert"]


def is_bundled(name: str) -> bool:
    """Tell whether LiteRT itself has a custom operation, so that an app need not bring it.

    Args:
        name: The name of the custom operation.

    Returns:
        Whether it has.

    Example:

    >>> is_bundled("TFLite_Detection_PostProcess"), is_bundled("Mine")
    (True, False)
    """
    return name in _runtimes()["custom"]


def newest_runtime() -> str:
    """The newest TF Lite that the tables cover, such as `"2.23.0"`."""
    return _runtimes()["newest"]


def litert() -> str:
    """The version of LiteRT that the tables are of, such as `"2.3.0"`."""
    return _runtimes()["litert"]


def runtime_key(version: str) -> tuple[int, ...]:
    """Make versions of runtimes comparable.

    Args:
        version: Numbers separated by points; missing ones at the end are 0.

    Returns:
        A sort key.

    Raises:
        ValueError: It is not a version.

    Example:

    >>> runtime_key("2.9.0") < runtime_key("2.14") == runtime_key("2.14.0")
    True
    """
    numbers = [int(number) for number in version.split(".")]
    return (*numbers, *[0] * (3 - len(numbers)))


@functools.cache
def _rules() -> dict[str, Sequence[dict[str, Any]]]:
    groups = _load("versions.json")["operators"]
    return {name: group["rules"] for group in groups for name in group["of"]}


@functools.cache
def _runtimes() -> dict[str, Any]:
    return _load("runtimes.json")


def _load(name: str) -> dict[str, Any]:
    return read_json(resources.files(__package__) / name)
