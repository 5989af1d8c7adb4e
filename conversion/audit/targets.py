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
from .versions import is_bundled, litert, newest_runtime, requirement, runtime_key, version_in_litert

_FLEX = "Flex"
TAKES, REFUSES, UNKNOWN = "takes", "does not take", "not known"


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
    def answer(self) -> str:
        """Whether the target takes the file: `"takes"`, `"does not take"`, or `"not known"`.

        It does not if there is an operation that it is known not to take, and takes it if it is known to take all.
        """
        if any(not finding.unknown for finding in self.findings):
            return REFUSES
        return UNKNOWN if self.findings else TAKES

    @property
    def passes(self) -> bool:
        """Whether the target is known to take every operation."""
        return self.answer == TAKES

    @property
    def taken(self) -> int:
        """The number of operations that the target is known to take."""
        return self.operations - sum(len(finding.places) for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Returns the verdict as JSON stores it."""
        findings = [dataclasses.asdict(each) | {"places": list(each.places)} for each in self.findings]
        return {
            "answer": self.answer,
            "passes": self.passes,
            "taken": self.taken,
            "operations": self.operations,
            "findings": findings,
        }


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
        refusals = [_refusal_of_delegate(node, name, int(detail or 1)) for node in judged]
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
    """An empty `runtime` is LiteRT in the version that the tables are of."""
    if node.custom:
        return _refusal_of_custom(node.name, runtime)
    if node.version < 1:
        return _Refusal(f"version {node.version}; the first is 1")
    need, newest = requirement(node), version_in_litert(node.name)
    if newest is None:
        return _Refusal("an operator that these tables do not know", unknown=True)
    if not runtime:
        return None if need.version <= newest else _Refusal(_missing_in_litert(need.version, newest))
    if need.runtime is None:
        is_covered = runtime_key(runtime) <= runtime_key(newest_runtime())
        return _Refusal(f"version {need.version} is in no TF Lite up to {newest_runtime()}", unknown=not is_covered)
    if runtime_key(need.runtime) > runtime_key(runtime):
        because = f" for {need.because}" if need.because and need.version == need.needed else ""
        return _Refusal(f"version {need.version}{because} needs {need.runtime}")
    return None


def _refusal_of_custom(name: str, runtime: str) -> _Refusal | None:
    if not is_bundled(name):
        return _Refusal(custom_reason(name))
    if not runtime:
        return None
    return _Refusal(f"a custom operation that LiteRT {litert()} has; since when is not known", unknown=True)


def _missing_in_litert(version: int, newest: int) -> str:
    has = f"has it up to version {newest}" if newest else "has no kernel for it"
    return f"version {version}; LiteRT {litert()} {has}"


def _refusal_of_delegate(node: Node, delegate: str, level: int) -> _Refusal | None:
    if node.custom:
        return _Refusal("a custom operation")
    refusal, rules = _rules(delegate, node.name, level)
    if refusal:
        return refusal
    known = facts(node)
    for rule in rules:
        if holds(rule["refuse"], known) if "refuse" in rule else not holds(rule["need"], known):
            return _Refusal(rule["reason"], rule.get("unknown", False))
    return None


@functools.cache
def _rules(delegate: str, operator: str, level: int) -> tuple[_Refusal | None, list[Mapping[str, Any]]]:
    """Why a delegate never takes an operator at a level, and the rules for its operations if it may."""
    table = _delegate(delegate)
    since = next((int(first) for first, names in table["operators"].items() if operator in names), None)
    if since is None:
        unjudged = operator in table["unjudged"] or version_in_litert(operator) is None
        return _Refusal("not judged here", unknown=True) if unjudged else _Refusal("not among its operations"), []
    if level < since:
        return _Refusal(f"needs level {since}"), []
    rules = (rule for rule in table["rules"] if operator in rule.get("of", [operator]))
    return None, [rule for rule in rules if level < rule.get("below_level", level + 1)]


@functools.cache
def _delegate(name: str) -> dict[str, Any]:
    file = resources.files(__package__) / "delegates" / f"{name}.json"
    return read_json(file)
