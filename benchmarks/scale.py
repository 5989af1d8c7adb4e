"""`keras-segformer label` on one process and on several, and what a million pictures would need.

    pip install -e ".[beam]"
    python benchmarks/scale.py --preset b0_camvid

Each count of workers, on as many cores, labels pictures that are crops of one photograph, once as many as `--few` and
once `--many`, so that the time of starting drops out of the rate. `--runner ray` measures Ray. Overhead is the
processor time of a picture beyond that of `segment` in a plain loop over decoded pictures.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from PIL import Image

MILLION = 1_000_000
_LABEL = "import sys; from keras_segformer.cli import main; sys.exit(main(sys.argv[1:]))"
_PLAIN = """
import sys, time
from keras_segformer import SegFormer
from keras_segformer.images import find_images, load_image
model = SegFormer.from_preset(sys.argv[1])
pictures = [load_image(path) for path in find_images(sys.argv[2])[:200]]
model.segment(pictures[0], size="native")
begin, begin_cpu = time.perf_counter(), time.process_time()
for picture in pictures:
    model.segment(picture, size="native")
print((time.perf_counter() - begin) / len(pictures), (time.process_time() - begin_cpu) / len(pictures))
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="b0_camvid")
    parser.add_argument("--runner", default="DirectRunner")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--side", type=int, default=128, help="of the pictures, in pixels")
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=2000)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder / "few", args.few, args.side)
        write_pictures(folder / "many", args.many, args.side)
        plain = measure_plain(args.preset, folder / "many")
        rows = {workers: measure(folder, workers, args) for workers in args.workers}
    first = rows[args.workers[0]]
    print(f"segment in a loop: {1e3 * plain['cpu']:.1f} ms of processor time a picture")
    for workers, row in rows.items():
        overhead = 1e3 * (row["cpu"] - plain["cpu"])
        print(
            f"{workers} workers: {1 / row['wall']:.1f} pictures/s, {first['wall'] / row['wall']:.2f} times the first "
            f"({workers / args.workers[0] * first['cpu'] / row['cpu']:.2f} by processor time, on idle cores); "
            f"{1e3 * row['cpu']:.1f} ms of processor time a picture, {overhead:.1f} ms of it overhead; start "
            f"{row['start']:.0f} s; a million pictures: {(row['start'] + MILLION * row['wall']) / 3600:.1f} h, "
            f"{MILLION * row['cpu'] / 3600:.1f} processor hours"
        )
    if args.json:
        args.json.write_text(json.dumps({"plain": plain, "workers": rows}, indent=2) + "\n")


def write_pictures(folder: Path, count: int, side: int) -> None:
    """Crops of one photograph."""
    folder.mkdir()
    photograph = Image.open(Path(__file__).parents[1] / "docs/street.jpg").convert("RGB")
    random = np.random.default_rng(0)
    for index in range(count):
        x, y = (int(random.integers(0, length - 2 * side)) for length in photograph.size)
        photograph.crop((x, y, x + 2 * side, y + 2 * side)).resize((side, side)).save(folder / f"{index:06d}.jpg")


def measure_plain(preset: str, folder: Path) -> dict[str, float]:
    """Seconds a picture in a loop."""
    command = [sys.executable, "-c", _PLAIN, preset, str(folder)]
    with cores(1):
        printed = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
        ).stdout
    wall, cpu = map(float, printed.split()[-2:])
    return {"wall": wall, "cpu": cpu}


def measure(folder: Path, workers: int, args: argparse.Namespace) -> dict[str, Any]:
    """Seconds a picture, and of starting, from two runs."""
    few, many = (label(folder, name, workers, args) for name in ("few", "many"))
    wall, cpu = ((after - before) / (args.many - args.few) for before, after in zip(few, many, strict=True))
    return {"wall": wall, "cpu": cpu, "start": few[0] - args.few * wall}


def label(folder: Path, name: str, workers: int, args: argparse.Namespace) -> tuple[float, float]:
    """Seconds of the clock and of all processors for a run."""
    words = ["label", "--input", str(folder / name), "--preset", args.preset, "--runner", args.runner]
    words += ["--output", str(folder / f"{name}_{workers}"), "--workers", str(workers), "--size", "native"]
    begin, begin_cpu = time.perf_counter(), children_seconds()
    with cores(workers):
        subprocess.run([sys.executable, "-c", _LABEL, *words], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin, children_seconds() - begin_cpu


@contextlib.contextmanager
def cores(count: int) -> Iterator[None]:
    """Lets children run on so many cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def children_seconds() -> float:
    """Processor time of the processes that have been waited for."""
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    main()
