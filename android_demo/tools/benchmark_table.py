"""Checks benchmark reports of phones and renders them as a table.

    python android_demo/tools/benchmark_table.py phone.json [more.json ...]
    python android_demo/tools/benchmark_table.py --update

The first form checks reports that the app saved and prints the rows that they add. The second one checks all reports in
`android_demo/benchmarks`, and writes the table of `android_demo/benchmarks/README.md`.

A row is the median time of an inference; times of a phone that was already throttled are marked. Reports whose labels
differ from those of the CPU, and those with fewer than 20 runs, are refused: they say nothing about the phone.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "benchmarks"
PAGE = "README.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
COLUMNS = ("phone", "chip", "Android", "model", "processor", "median ms", "p90 ms", "agreement", "app, TF Lite", "date")
LEAST_RUNS = 20
LEAST_AGREEMENT = 0.9
PRECISIONS = ("float32", "float16", "dynamic", "int8", "int8_npu", "int16x8")
PROCESSORS = ("GPU", "NNAPI", "CPU")
THROTTLED = ("SEVERE", "CRITICAL", "EMERGENCY", "SHUTDOWN")
# Names of phones and chips in any script, without the characters that Markdown and HTML read as markup.
_PLAIN = re.compile(r"[\w .,;()+/-]{1,100}")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Those of the command line; `None` for those of this process.

    Returns:
        The exit status: 1 if a report is faulty.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="*", type=Path, help="JSON files that the app saved")
    parser.add_argument(
        "--update", action="store_true", help="write the table of all reports in android_demo/benchmarks"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.update == bool(args.reports):
        parser.error("name reports to check, or update the table with --update")
    paths = sorted(args.folder.glob("*.json")) if args.update else args.reports
    faults = [f"{path}: {fault}" for path in paths for fault in check(path)]
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    table = render([row for path in paths for row in rows(json.loads(path.read_text(encoding="utf-8")))])
    if args.update:
        page = args.folder / PAGE
        before, after = page.read_text(encoding="utf-8").split(BEGIN)[0], page.read_text(encoding="utf-8").split(END)[1]
        page.write_text(f"{before}{BEGIN}\n{table}{END}{after}", encoding="utf-8")
    else:
        print(table, end="")
    return 0


def check(path: Path) -> Iterator[str]:
    """Yields what is wrong with a report, each with its remedy."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        device, entries = report["device"], report["entries"]
        texts = [device[key] for key in ("manufacturer", "model", "hardware", "android", "runtime", "app")]
        started = report["started_at"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield f"not a report of the app ({error!r}); save it again with Benchmark > Save as JSON"
        return
    if not all(isinstance(text, str) and text.strip() and _PLAIN.fullmatch(text) for text in texts):
        yield "`device` needs one line of plain text for each field, without markup; save the report again"
    if not _matches(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", started):
        yield f"`started_at` must be a time in UTC, not {started!r}; save the report again"
    if not isinstance(entries, list) or not any(
        isinstance(entry, dict) and not entry.get("error") for entry in entries
    ):
        yield "it has no measurement; run the benchmark to its end"
        return
    for number, entry in enumerate(entries):
        for fault in _check_entry(entry) if isinstance(entry, dict) else ["it is not an object; save the report again"]:
            yield f"entry {number}: {fault}"


def _matches(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_number(value: object) -> bool:
    # JSON has true and false, which Python counts as numbers, and Python reads NaN, which no comparison holds for.
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_entry(entry: dict[str, Any]) -> Iterator[str]:
    if entry.get("error"):
        return
    if entry.get("precision") not in PRECISIONS or entry.get("processor") not in PROCESSORS:
        yield "unknown precision or processor; update this checkout"
    if not _matches(r"[A-Za-z0-9_.-]{1,100}", entry.get("model")):
        yield "`model` must be the name of a model; rename the model without special characters and measure it again"
    if not _matches(r"[0-9a-f]{64}", entry.get("sha256")):
        yield "`sha256` must be a checksum; save the report again"
    if entry.get("runtime") is not None and not _matches(r"[0-9]+(\.[0-9]+){1,2}", entry["runtime"]):
        yield "`runtime` must be a version such as 2.21.0, or null; save the report again"
    if entry.get("threads") is not None and (type(entry["threads"]) is not int or entry["threads"] < 1):
        yield "`threads` must be a whole number above 0, or null; save the report again"
    if entry.get("thermal_after") is not None and not _matches(r"[A-Z]+", entry["thermal_after"]):
        yield "`thermal_after` must be the name of a thermal status, or null; save the report again"
    yield from _check_times(entry.get("phases"))
    if type(entry.get("runs")) is not int or entry["runs"] < LEAST_RUNS:
        yield f"it needs at least {LEAST_RUNS} runs; leave out --ei runs"
    agreement = entry.get("agreement")
    if agreement is not None and not (_is_number(agreement) and 0 <= agreement <= 1):
        yield "`agreement` must be a share from 0 to 1, or null; save the report again"
    elif entry.get("processor") != "CPU" and (agreement is None or agreement < LEAST_AGREEMENT):
        yield (
            f"its agreement with the CPU is {agreement}, not at least {LEAST_AGREEMENT}: the processor computes wrong "
            "results; leave the entry out"
        )


def _check_times(phases: object) -> Iterator[str]:
    timing = phases.get("inference") if isinstance(phases, dict) else None
    if not isinstance(timing, dict):
        yield "`phases` must be an object with the object `inference`; save the report again"
        return
    median, p90 = timing.get("p50_ms"), timing.get("p90_ms")
    if not (_is_number(median) and _is_number(p90) and 0 < median <= p90):
        yield "the inference needs times above 0 with p50_ms <= p90_ms; run the benchmark again"


def rows(report: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yields a row of `COLUMNS` for each measurement of a report."""
    device = report["device"]
    for entry in report["entries"]:
        if entry.get("error"):
            continue
        timing = entry["phases"]["inference"]
        threads = f", threads: {entry['threads']}" if entry.get("threads") else ""
        hot = " (hot)" if THROTTLED.count(entry.get("thermal_after")) else ""
        agreement = "–" if entry.get("agreement") is None else f"{entry['agreement']:.3f}"
        yield (
            f"{device['manufacturer']} {device['model']}",
            device["hardware"],
            device["android"],
            f"{entry['model']} {entry['precision']}",
            f"{entry['processor']}{threads}",
            f"{timing['p50_ms']:.1f}{hot}",
            f"{timing['p90_ms']:.1f}",
            agreement,
            f"{device['app']}, {entry.get('runtime') or device['runtime']}",
            report["started_at"][:10],
        )


def render(table: list[tuple[str, ...]]) -> str:
    """Returns the rows as a Markdown table, the fastest of each model first.

    Args:
        table: Rows of `COLUMNS`.

    Returns:
        The table, with a line that says so if there are no rows.
    """
    if not table:
        return "No phone has been measured yet.\n"
    ordered = sorted(table, key=lambda row: (row[3].split()[0], float(row[5].split()[0]), row))
    lines = [
        COLUMNS,
        tuple("---" for _ in COLUMNS),
        *(tuple(cell.replace("|", "/") for cell in row) for row in ordered),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
