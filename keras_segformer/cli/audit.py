"""`keras-segformer audit`: examine what a TF Lite file needs and where it runs.

The command starts without Keras and TensorFlow.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_segformer.conversion.audit import TARGETS, Audit, Finding, audit, check_target

_MAX_NAMED = 3


def add_parser(subparsers: Any) -> None:
    """Add the command to the program's parser.

    Args:
        subparsers: The result of `argparse.ArgumentParser.add_subparsers`.
    """
    parser = subparsers.add_parser(
        "audit",
        help="examine a TF Lite file: operations, versions that they need, and where it runs",
        description="Examines a TF Lite file without running it: its operations, the runtime that its tensors need "
        "as opposed to the one that it claims, and which runtimes and delegates run every operation. The exit status "
        "is 1 if a required target does not, or if the file claims too low a version.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the .tflite file")
    parser.add_argument(
        "--require",
        metavar="TARGETS",
        type=_targets,
        default=(),
        help="targets that have to take every operation, with commas between them: litert, xnnpack, gpu, "
        "qualcomm-htp, nnapi:LEVEL with a feature level of 3 to 8, runtime:VERSION such as runtime:2.14",
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything that was found")


def run(args: argparse.Namespace) -> int:
    """Examine a file and print the findings.

    Args:
        args: The arguments that `add_parser` declares.

    Returns:
        0, or 1 if a required target does not run every operation or the file claims too low a version.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: One of the files is a folder.
        ValueError: It is not a TF Lite file, or is damaged.
    """
    _check_files(args)
    found = audit(args.file.read_bytes(), dict.fromkeys((*TARGETS, *args.require)))
    if args.json:
        from keras_segformer.cli.outputs import write_json  # imports Pillow and NumPy's random numbers

        write_json(args.json, {"file": str(args.file), "required": list(args.require)} | found.to_dict())
    _print(found)
    failed = [each.target for each in found.verdicts if each.target in args.require and not each.passes]
    console = Console(highlight=False, soft_wrap=True)
    for lie in found.lies:
        console.print(f"false claim: {lie}", markup=False)
    for target in failed:
        console.print(f"required, but not wholly on it: {target}", markup=False)
    return 1 if failed or found.lies else 0


def _targets(text: str) -> tuple[str, ...]:
    targets = tuple(text.split(","))
    for target in targets:
        try:
            check_target(target)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return targets


def _check_files(args: argparse.Namespace) -> None:
    if args.file.is_dir():
        raise IsADirectoryError(f"'{args.file}' is a folder; name a .tflite file")
    if not args.file.is_file():
        raise FileNotFoundError(f"there is no file '{args.file}'; check the path")
    if args.json and args.json.is_dir():
        raise IsADirectoryError(f"the file '{args.json}' is a folder; name a file")


def _print(found: Audit) -> None:
    console = Console(highlight=False)
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
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Operation")
    table.add_column("Version", justify="right")
    table.add_column("Count", justify="right")
    for operator in found.operators:
        table.add_row(escape(operator["name"]), str(operator["version"]), str(operator["count"]))
    return table


def _target_table(found: Audit) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Target")
    table.add_column("Takes", justify="right")
    table.add_column("Does not take")
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
