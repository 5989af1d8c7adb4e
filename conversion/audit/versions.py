"""The operator version that an operation needs for its tensors, and the oldest runtime that has that version.

Converters write both into the file, but not always correctly. Given too low a version, a runtime may use a kernel that
does not support the tensors, and compute garbage without an error.

The tables are in `versions.json`, for the operations of SegFormer files.

Source: TensorFlow Lite's op_version.cc and runtime_version.cc, named there.
"""

from __future__ import annotations

import dataclasses
import functools
from importlib import resources
from typing import Any

from keras_segformer.json_text import read_json

from ..tflite.reader import Node
from .conditions import facts, holds


@dataclasses.dataclass(frozen=True, kw_only=True)
class Requirement:
    """What an operation requires of a runtime.

    Args:
        needed: The lowest operator version that supports its tensors.
        because: The feature that older versions lack; empty if version 1 is enough.
        version: The version that a runtime must have: the needed one, or that in the file if it is higher, because
            runtimes look up the latter.
        runtime: The oldest TF Lite runtime that has this version; `None` if unknown, as for custom operations.
    """

    needed: int
    because: str
    version: int
    runtime: str | None


def requirement(node: Node) -> Requirement:
    """Compute the requirement of an operation from its tensors and options.

    Args:
        node: The operation.

    Returns:
        The requirement. For operations that the tables lack, it has the version in the file and no runtime.
    """
    if node.custom or node.name not in _operators():
        return Requirement(needed=node.version, because="", version=node.version, runtime=None)
    known = facts(node)
    rules = _operators()[node.name]["needs"]
    rule = next((each for each in rules if holds(each["when"], known)), {"version": 1, "because": ""})
    version = max(node.version, rule["version"])
    return Requirement(
        needed=rule["version"],
        because=rule["because"],
        version=version,
        runtime=runtime_with(node.name, version),
    )


def runtime_with(name: str, version: int) -> str | None:
    """Look up the oldest TF Lite runtime that has an operation in a version.

    Args:
        name: The operation.
        version: Its version.

    Returns:
        A version such as `"2.9.0"`, or `None` if the tables lack the operation or its version.

    Example:

    >>> runtime_with("FULLY_CONNECTED", 12), runtime_with("FULLY_CONNECTED", 99)
    ('2.17.0', None)
    """
    runtimes = _operators().get(name, {"runtimes": []})["runtimes"]
    return runtimes[version - 1] if 1 <= version <= len(runtimes) else None


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
def _operators() -> dict[str, Any]:
    file = resources.files(__package__) / "versions.json"
    return read_json(file)["operators"]
