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

_MAX_NAMED = 3


def run(args: argparse.Namespace) -> int:
    """Examine a file and print the findings.

    Args:
        args: What the parser returns.

    Returns:
        0, or 1 if a required target does not run every operation or the file claims too low a version.

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
    failed = [each.target for each in found.verdicts if each.target in args.require and not each.passes]
    console = make_console(highlight=False, soft_wrap=True)
    for lie in found.lies:
        console.print(f"false claim: {lie}", markup=False)
    for target in failed:
        console.print(f"required, but not wholly on it: {target}", markup=False)
    return 1 if failed or found.lies else 0


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
    table = make_table("Target", "Takes", "Does not take", text=("Does not take",))
    for verdict in found.verdicts:
        reasons = "\n".join(_reason(finding) for finding in verdict.findings) or "–"
        table.add_row(verdict.target, f"{verdict.taken} of {verdict.operations}", escape(reasons))
    return table


def _reason(finding: Finding) -> str:
    doubt = "unknown: " if finding.unknown else ""
    return f"{doubt}{finding.operator} ×{len(finding.places)} ({finding.reason}), operation {_list(finding.places)}"


def _list(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(names[:_MAX_NAMED]) + more or "none"
