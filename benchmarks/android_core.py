"""Time and garbage of the Android app's own work for a frame: camera frame in, coloured labels out, on one core.

    python benchmarks/android_core.py

needs JDK 17 or newer and Maven. The frame has 640x480 pixels of noise, the model's input 512x512. `labels out` reads
the model's 128x128 labels, counts the classes and draws a picture of 512x512. Times are those that the core spent on
it, so that other work of the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

PROJECT = Path(__file__).parents[1] / "android_demo"
TOGETHER = ("frame in, turned by 90 degrees", "labels out")  # as a phone that is held upright does it


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    for program in ("mvn", "java"):
        if not shutil.which(program):
            parser.error(f"there is no {program}: install JDK 17 and Maven (Debian: apt install maven openjdk-17-jdk)")
    figures = measure()
    _print(figures)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure() -> dict[str, dict[str, float]]:
    """Milliseconds of the core's time and bytes allocated, by what was measured."""
    with tempfile.TemporaryDirectory() as folder:
        class_path = Path(folder) / "class_path"
        compile_and_list = ["test-compile", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"]
        subprocess.run(
            ["mvn", "-q", "-B", "--projects", "core", *compile_and_list, f"-Dmdep.outputFile={class_path}"],
            cwd=PROJECT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        classes = [str(PROJECT / "core/target" / name) for name in ("classes", "test-classes")]
        path = os.pathsep.join([*classes, class_path.read_text().strip()])
    java = ["java", "-XX:ActiveProcessorCount=1", "-cp", path, "org.kerassegformer.core.CoreBenchmarkKt"]
    result = subprocess.run(java, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=_stay_on_one_core)
    return json.loads(result.stdout)


def _stay_on_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _print(figures: dict[str, dict[str, float]]) -> None:
    table = Table(title="640x480 to 512x512, one core")
    table.add_column("step")
    for header in ("median", "90th percentile", "allocated per frame"):
        table.add_column(header, justify="right")
    for name, row in figures.items():
        table.add_row(name, f"{row['p50_ms']:.2f} ms", f"{row['p90_ms']:.2f} ms", f"{row['bytes_per_frame']:.0f} bytes")
    both = [figures[name] for name in TOGETHER]
    table.add_section()
    table.add_row(" + ".join(TOGETHER), f"{sum(row['p50_ms'] for row in both):.2f} ms")
    Console().print(table)


if __name__ == "__main__":
    main()
