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
PRECISIONS = ("float32", "float16", "dynamic", "int8", "int8_npu", "int16x8")
PROCESSORS = ("GPU", "NNAPI", "CPU")
THROTTLED = ("SEVERE", "CRITICAL", "EMERGENCY", "SHUTDOWN")


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
    if not all(isinstance(text, str) and text.strip() and text.isprintable() for text in texts):
        yield "`device` needs one line of text for each field; save the report again"
    if not re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", str(started)):
        yield f"`started_at` must be a time in UTC, not {started!r}; save the report again"
    if not isinstance(entries, list) or not any(
        isinstance(entry, dict) and not entry.get("error") for entry in entries
    ):
        yield "it has no measurement; run the benchmark to its end"
        return
    for number, entry in enumerate(entries):
        for fault in _check_entry(entry) if isinstance(entry, dict) else ["it is not an object; save the report again"]:
            yield f"entry {number}: {fault}"


def _check_entry(entry: dict[str, Any]) -> Iterator[str]:
    if entry.get("error"):
        return
    if entry.get("precision") not in PRECISIONS or entry.get("processor") not in PROCESSORS:
        yield "unknown precision or processor; update this checkout"
    if not re.fullmatch(r"[\w.-]{1,100}", str(entry.get("model"))):
        yield "`model` must be the name of a model; rename the model without special characters and measure it again"
    if not re.fullmatch(r"[0-9a-f]{64}", str(entry.get("sha256"))):
        yield "`sha256` must be a checksum; save the report again"
    timing = entry.get("phases", {}).get("inference", {})
    median, p90 = timing.get("p50_ms"), timing.get("p90_ms")
    if not (isinstance(median, int | float) and isinstance(p90, int | float) and 0 < median <= p90):
        yield "the inference needs times above 0 with p50_ms <= p90_ms; run the benchmark again"
    if not isinstance(entry.get("runs"), int) or entry["runs"] < LEAST_RUNS:
        yield f"it needs at least {LEAST_RUNS} runs; leave out --ei runs"
    agreement = entry.get("agreement")
    if entry.get("processor") != "CPU" and not (isinstance(agreement, int | float) and 0.9 <= agreement <= 1):
        yield f"its agreement with the CPU is {agreement}, not at least 0.9: the processor computes wrong results"


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
