"""What a TF Lite file says about itself."""

from __future__ import annotations

import collections
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema

_MINIMUM_RUNTIME = b"min_runtime_version"


def operators(content: bytes) -> list[dict[str, Any]]:
    """List the operations of a file.

    Args:
        content: The file.

    Returns:
        `{"name": …, "version": …, "count": …}` for every kind, sorted by name; custom operations, which need more
        than the TF Lite runtime, under their own names.
    """
    model = schema.Model.GetRootAs(content, 0)
    graphs = [model.Subgraphs(index) for index in range(model.SubgraphsLength())]
    counts = collections.Counter(
        graph.Operators(index).OpcodeIndex() for graph in graphs for index in range(graph.OperatorsLength())
    )
    kinds = [(*_kind(model.OperatorCodes(code)), count) for code, count in counts.items()]
    return [{"name": name, "version": version, "count": count} for name, version, count in sorted(kinds)]


def minimum_runtime(content: bytes) -> str | None:
    """The oldest TF Lite runtime that runs a file, as the converter wrote it down.

    Args:
        content: The file.

    Returns:
        A version such as `"2.9.0"`, or `None` where the file does not name one.
    """
    model = schema.Model.GetRootAs(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == _MINIMUM_RUNTIME:
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes().rstrip(b"\0").decode()
    return None


_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


def _kind(code: Any) -> tuple[str, int]:
    # Codes beyond 127 do not fit the older field, which then holds a place-holder.
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    custom = code.CustomCode()
    return (custom.decode() if custom else _NAMES[builtin]), code.Version()
