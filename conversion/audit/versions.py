"""The version that an operation needs for its tensors, and the oldest runtime that has that version.

A converter writes both into the file, and not every one writes the truth. A runtime that believes too low a version
runs the operation with a kernel that does not know the tensors: it computes garbage and says nothing.

The tables are in `versions.json`, for the operations that SegFormer files hold.

Source: TensorFlow Lite's op_version.cc and runtime_version.cc, named there.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from importlib import resources
from typing import Any

from ..tflite.reader import Node
from .conditions import facts, holds


@dataclasses.dataclass(frozen=True, kw_only=True)
class Requirement:
    """What an operation asks of a runtime.

    Args:
        needed: The lowest version of the operation that knows its tensors.
        because: What it is that an older version does not know; empty where version 1 will do.
        version: The version that a runtime has to have: that which is needed, or that which the file names where it is
            higher, for a runtime looks up the latter.
        runtime: The oldest TF Lite runtime that has it; `None` where it is not known, as of custom operations.
    """

    needed: int
    because: str
    version: int
    runtime: str | None


def requirement(node: Node) -> Requirement:
    """Compute what an operation needs from its tensors and options.

    Args:
        node: The operation.

    Returns:
        What it needs. Where the tables do not have the operation, the file is believed and no runtime named.
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
        A version such as `"2.9.0"`, or `None` where the tables do not have it.

    Example:

    >>> runtime_with("FULLY_CONNECTED", 12), runtime_with("FULLY_CONNECTED", 99)
    ('2.17.0', None)
    """
    runtimes = _operators().get(name, {"runtimes": []})["runtimes"]
    return runtimes[version - 1] if 1 <= version <= len(runtimes) else None


def runtime_key(version: str) -> tuple[int, ...]:
    """Make versions of runtimes comparable.

    Args:
        version: Numbers with points between them; what is missing at the end is 0.

    Returns:
        A key to sort by.

    Raises:
        ValueError: It is no version.

    Example:

    >>> runtime_key("2.9.0") < runtime_key("2.14") == runtime_key("2.14.0")
    True
    """
    numbers = [int(number) for number in version.split(".")]
    return (*numbers, *[0] * (3 - len(numbers)))


@functools.cache
def _operators() -> dict[str, Any]:
    file = resources.files(__package__) / "versions.json"
    return json.loads(file.read_text(encoding="utf-8"))["operators"]
