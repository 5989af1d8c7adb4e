"""Where a file runs: runtimes by the operators that they have, delegates by those that they leave to the CPU.

`delegates/` has a JSON file for every delegate, which names its sources. `operators` lists the operators with known
conditions, by the level from which they are supported; `unjudged` lists operators that are supported under conditions
not recorded here; all others are not supported. A rule applies to the operators in `of`, or to all, at all levels or
`below_level`; it rejects an operation if `refuse` holds or `need` does not, and leaves it open if it has `unknown`.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from keras_segformer.json_text import read_json

from ..tflite.reader import Node
from .conditions import facts, holds
from .target_names import check_target
from .versions import requirement, runtime_key

_FLEX = "Flex"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """Operations that a target does not take, for one reason.

    Args:
        operator: Name of their operator.
        reason: The reason.
        places: Their places in the file.
        unknown: Whether it is not known that the target takes them, rather than known that it does not.
    """

    operator: str
    reason: str
    places: tuple[str, ...]
    unknown: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """The operations of a file that a target takes and does not take.

    Args:
        target: The target.
        operations: The number of operations; for delegates without those that only unpack weights.
        findings: The operations that the target does not take.
    """

    target: str
    operations: int
    findings: tuple[Finding, ...]

    @property
    def passes(self) -> bool:
        """Whether the target is known to take every operation."""
        return not self.findings

    @property
    def taken(self) -> int:
        """The number of operations that the target is known to take."""
        return self.operations - sum(len(finding.places) for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Returns the verdict as JSON stores it."""
        findings = [dataclasses.asdict(each) | {"places": list(each.places)} for each in self.findings]
        return {"passes": self.passes, "taken": self.taken, "operations": self.operations, "findings": findings}


@dataclasses.dataclass(frozen=True)
class _Refusal:
    reason: str
    unknown: bool = False


def judge(nodes: Iterable[Node], target: str) -> Verdict:
    """Find the operations that a target does not take.

    Args:
        nodes: The operations of a file.
        target: A target that `check_target` accepts.

    Returns:
        The verdict.

    Raises:
        ValueError: There is no such target.
    """
    check_target(target)
    name, _, detail = target.partition(":")
    if name in ("litert", "runtime"):
        judged = list(nodes)
        refusals = [_refusal_of_runtime(node, detail) for node in judged]
    else:
        judged = [node for node in nodes if not node.unpacks_weights]
        refusals = [_refusal_of_delegate(node, _delegate(name), int(detail or 1)) for node in judged]
    places = collections.defaultdict(list)
    for node, refusal in zip(judged, refusals, strict=True):
        if refusal:
            places[node.name, refusal].append(node.place)
    findings = (
        Finding(operator=operator, reason=refusal.reason, places=tuple(where), unknown=refusal.unknown)
        for (operator, refusal), where in sorted(places.items(), key=lambda item: (item[0][0], item[0][1].reason))
    )
    return Verdict(target=target, operations=len(judged), findings=tuple(findings))


def custom_reason(name: str) -> str:
    """Explain why a runtime without extensions cannot run a custom operation.

    Args:
        name: Its name.

    Returns:
        The predicate of a sentence about the operation.
    """
    if name.startswith(_FLEX):
        return "an operation of TensorFlow, which needs the library Select TF Ops"
    return "a custom operation, which the app has to bring"


def _refusal_of_runtime(node: Node, runtime: str) -> _Refusal | None:
    """An empty `runtime` is LiteRT, from whose sources the tables are."""
    if node.custom:
        return _Refusal(custom_reason(node.name))
    need = requirement(node)
    if need.runtime is None:
        return _Refusal(f"it is not known which runtime has version {need.version}", unknown=True)
    if runtime and runtime_key(need.runtime) > runtime_key(runtime):
        because = f" for {need.because}" if need.because and need.version == need.needed else ""
        return _Refusal(f"version {need.version}{because} needs {need.runtime}")
    return None


def _refusal_of_delegate(node: Node, delegate: Mapping[str, Any], level: int) -> _Refusal | None:
    if node.custom:
        return _Refusal("a custom operation")
    since = next((int(first) for first, names in delegate["operators"].items() if node.name in names), None)
    if since is None:
        unjudged = node.name in delegate["unjudged"]
        return _Refusal("not judged here", unknown=True) if unjudged else _Refusal("not among its operations")
    if level < since:
        return _Refusal(f"needs level {since}")
    known = facts(node)
    for rule in delegate["rules"]:
        applies = node.name in rule.get("of", [node.name]) and level < rule.get("below_level", level + 1)
        if applies and (holds(rule["refuse"], known) if "refuse" in rule else not holds(rule["need"], known)):
            return _Refusal(rule["reason"], rule.get("unknown", False))
    return None


@functools.cache
def _delegate(name: str) -> dict[str, Any]:
    file = resources.files(__package__) / "delegates" / f"{name}.json"
    return read_json(file)
