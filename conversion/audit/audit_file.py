"""The audit of a TF Lite file: what it contains, what it needs, and where it runs."""

from __future__ import annotations

import collections
import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from ..tflite.content import content_of
from ..tflite.reader import Node, TFLiteFile, read_tflite
from .target_names import TARGETS
from .targets import Verdict, custom_reason, judge
from .versions import Requirement, is_bundled, requirement, runtime_key, version_in_litert

_VARIABLES = ("ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "VAR_HANDLE")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Audit:
    """The findings about a file.

    Args:
        operators: The operators, `{"name": …, "version": …, "count": …}`.
        types: The number of tensors of every type.
        ranks: The number of tensors of every rank.
        dynamic: Names of the tensors whose shape is set at run time.
        custom: Names of the custom operations.
        variables: Names of the operations and tensors left over from variables; weights should be constants.
        claimed_runtime: The oldest TF Lite runtime that the file claims to run on; `None` if it claims none.
        minimum_runtime: The oldest that has its operations for its tensors; `None` if it is not known.
        missing: The operations, with their versions, for which the newest LiteRT in the tables has no kernel.
        unknown: The operations, with their versions, of which it is not known since when TF Lite has them.
        lies: False claims of the file about its versions, a sentence each.
        verdicts: The verdicts on the targets.
    """

    operators: list[dict[str, Any]]
    types: dict[str, int]
    ranks: dict[int, int]
    dynamic: tuple[str, ...]
    custom: tuple[str, ...]
    variables: tuple[str, ...]
    claimed_runtime: str | None
    minimum_runtime: str | None
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    lies: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """The reasons why a runtime may refuse the file or compute something else, a sentence each."""
        return (
            *(f"{name} is {custom_reason(name)}" for name in self.custom if not is_bundled(name)),
            *(f"{name} is left over from a variable" for name in self.variables),
            *(f"no runtime has {name}" for name in self.missing),
            *(f"it is not known which runtime has {name}" for name in self.unknown),
            *self.lies,
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the findings as JSON stores them."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        verdicts = fields.pop("verdicts")
        content = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
        content["ranks"] = {str(rank): count for rank, count in self.ranks.items()}
        return content | {"targets": {verdict.target: verdict.to_dict() for verdict in verdicts}}


def audit(file: bytes | str | os.PathLike[str], targets: str | Iterable[str] = TARGETS) -> Audit:
    """Examine a TF Lite file without running it.

    Args:
        file: The path of the file, or its content.
        targets: Where it is meant to run, one or several of: `"litert"`, `"xnnpack"`, `"gpu"`, `"qualcomm-htp"`,
            `"tflite-micro"`, `"ethos-u"`, `"nnapi:"` with a feature level from 3 to 8, or `"runtime:"` with a version
            of TF Lite. A delegate passes where it takes every operation, so that nothing falls back to the
            interpreter's own kernels.

    Returns:
        The findings.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not a TF Lite file or is damaged, or there is no such target.

    Source: those that the tables in this package name.

    Example:

    >>> import keras_segformer
    >>> from keras_segformer.conversion import convert
    >>> from pathlib import Path
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "b0.tflite"
    >>> _ = convert(keras_segformer.SegFormer(keras_segformer.VARIANTS["b0"]), path, input_size=(64, 64))
    >>> found = audit(path, ["litert", "nnapi:8"])
    >>> found.minimum_runtime, [verdict.passes for verdict in found.verdicts]
    ('2.9.0', [True, False])
    """
    targets = (targets,) if isinstance(targets, str) else targets
    model = read_tflite(content_of(file))
    needs = [(node, requirement(node)) for node in model.nodes]
    custom = {node.name for node in model.nodes if node.custom}
    doubtful = [(node.name, need.version) for node, need in needs if not (need.runtime or node.custom)]
    missing = {each for each in doubtful if _is_missing(*each)}
    runtime = max((need.runtime for _, need in needs if need.runtime), key=runtime_key, default=None)
    return Audit(
        operators=model.operators(),
        types=dict(collections.Counter(tensor.type for tensor in model.tensors).most_common()),
        ranks=dict(sorted(collections.Counter(len(tensor.shape) for tensor in model.tensors).items())),
        dynamic=tuple(tensor.name for tensor in model.tensors if tensor.dynamic),
        custom=tuple(sorted(custom)),
        variables=_variables(model),
        claimed_runtime=model.claimed_runtime,
        minimum_runtime=None if custom or doubtful else runtime,
        missing=_with_versions(missing),
        unknown=_with_versions(set(doubtful) - missing),
        lies=(*_versions_too_low(needs), *_runtime_too_low(model.claimed_runtime, runtime)),
        verdicts=tuple(judge(model.nodes, target) for target in targets),
    )


def _is_missing(name: str, version: int) -> bool:
    newest = version_in_litert(name)
    return newest is not None and version > newest


def _with_versions(operators: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(f"{name} version {version}" for name, version in sorted(operators))


def _variables(file: TFLiteFile) -> tuple[str, ...]:
    operations = {node.name for node in file.nodes if node.name in _VARIABLES}
    return tuple(sorted(operations | {tensor.name for tensor in file.tensors if tensor.variable}))


def _versions_too_low(needs: Iterable[tuple[Node, Requirement]]) -> list[str]:
    places = collections.defaultdict(list)
    for node, need in needs:
        if node.version < need.needed:
            places[node.name, node.version, need].append(node.place)
    return [
        f"{name} says version {version}, but {need.needed} is the first that {_known(need)} "
        f"(TF Lite {need.runtime or 'unknown'}; operation {', '.join(where)})"
        for (name, version, need), where in places.items()
    ]


def _known(need: Requirement) -> str:
    return f"knows {need.because}" if need.because else "there is"


def _runtime_too_low(claimed: str | None, needed: str | None) -> list[str]:
    if claimed is None or needed is None:
        return []
    try:
        too_low = runtime_key(claimed) < runtime_key(needed)
    except ValueError:
        return [f"the file names the runtime {claimed!r}, which is not a version"]
    return [f"the file says that TF Lite {claimed} runs it, but it needs {needed}"] if too_low else []
