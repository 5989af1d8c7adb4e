"""`keras-segformer audit`: examine what a TF Lite file needs and where it runs.

The command starts without Keras and TensorFlow.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.conversion.audit import TARGETS, Audit, Finding, audit
from keras_segformer.conversion.audit.targets import REFUSES, UNKNOWN

_MAX_NAMED = 3
_NOT_KNOWN = 3  # the exit status; 2 is that of errors


def run(args: argparse.Namespace) -> int:
    """Examine a file and print the findings.

    Args:
        args: What the parser returns.

    Returns:
        0 if every required target takes the file; 1 if one does not, or if the file claims too low a version; 3 if
        none refuses it, but it is not known of all whether they take it.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: It is a folder.
        ValueError: It is not a TF Lite file, or is damaged.
    """
    found = audit(args.file, dict.fromkeys((*TARGETS, *args.require)))
    if args.json:
        from keras_segformer.cli.outputs import write_json  # imports Pillow and NumPy's random numbers

        write_json(args.json, {"file": str(args.file), "required": list(args.require)} | found.to_dict())
    _print(found)
    required = [each for each in found.verdicts if each.target in args.require]
    console = make_console(highlight=False, soft_wrap=True)
    for lie in found.lies:
        console.print(f"false claim: {lie}", markup=False)
    for verdict in required:
        if not verdict.passes:
            console.print(f"required: {verdict.target}, {verdict.answer}", markup=False)
    return _status(found, [verdict.answer for verdict in required])


def _status(found: Audit, answers: list[str]) -> int:
    if found.lies or REFUSES in answers:
        return 1
    return _NOT_KNOWN if UNKNOWN in answers else 0


def _print(found: Audit) -> None:
    console = make_console(highlight=False)
    console.print(_operator_table(found))
    console.print(_target_table(found))
    summary = {
        "tensors": ", ".join(f"{count} {name}" for name, count in found.types.items()),
        "axes": ", ".join(f"{count} of {rank}" for rank, count in found.ranks.items()),
        "dynamic shapes": _list(found.dynamic),
        "custom operations": _list(found.custom),
        "left over from variables": _list(found.variables),
        "in no runtime": _list(found.missing),
        "says it needs TF Lite": found.claimed_runtime or "nothing",
        "needs TF Lite": found.minimum_runtime or "not known",
    }
    for name, value in summary.items():
        console.print(f"{name:26}{value}", markup=False, soft_wrap=True)


def _operator_table(found: Audit) -> Table:
    table = make_table("Operation", "Version", "Count")
    for operator in found.operators:
        table.add_row(escape(operator["name"]), str(operator["version"]), str(operator["count"]))
    return table


def _target_table(found: Audit) -> Table:
    table = make_table("Target", "Answer", "Takes", "Leaves", text=("Answer", "Leaves"))
    for verdict in found.verdicts:
        reasons = "\n".join(_reason(finding) for finding in verdict.findings) or "–"
        table.add_row(verdict.target, verdict.answer, f"{verdict.taken} of {verdict.operations}", escape(reasons))
    return table


def _reason(finding: Finding) -> str:
    doubt = "not known: " if finding.unknown else ""
    return f"{doubt}{finding.operator} ×{len(finding.places)} ({finding.reason}), operation {_list(finding.places)}"


def _list(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(names[:_MAX_NAMED]) + more or "none"
