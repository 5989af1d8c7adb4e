"""Videos: how fast they are segmented, and how much their labels flicker.

    pip install -e ".[video]"
    python benchmarks/video.py --preset b0_camvid

The video is a pan over a photograph with the noise of a camera. Its rate is that of `predict`, which decodes, segments
and encodes at the same time, beside that of the same steps one after the other and that of the network alone; the
rounds take turns, and medians count. Shares are medians of the ratios within a round, of wall time and of processor
time: on a machine that does other work as well, the second says more. Flicker is what `predict` prints, with and
without `--steady`.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.console import Console
from rich.table import Table

import keras_segformer
from keras_segformer.images import load_image
from keras_segformer.video import STEADY_WEIGHT
from keras_segformer.video.flicker import FlickerMeter
from keras_segformer.video.pipeline import segment_video
from keras_segformer.video.reader import Frame, VideoReader
from keras_segformer.video.sources import video_source
from keras_segformer.video.steady import SteadySegmenter
from keras_segformer.video.writer import VideoWriter
from keras_segformer.visualization import overlay

RATE = 25
NOISE = 4.0
"""Standard deviation of the noise on the scale 0..255."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="b0_camvid")
    parser.add_argument("--image", type=Path, default=Path(__file__).parents[1] / "docs/street.jpg")
    parser.add_argument("--size", type=int, nargs=2, default=[360, 480], help="height and width of the frames")
    parser.add_argument("--frames", type=int, default=16, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flicker-frames", type=int, default=48)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    model = keras_segformer.SegFormer.from_preset(args.preset)
    photograph = load_image(args.image)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pan.mp4"
        write_pan(path, photograph, tuple(args.size), max(args.frames, args.flicker_frames))
        rates = measure_rates(model, path, args.frames, args.rounds)
        flicker = {name: measure_flicker(model, path, args.flicker_frames, weight) for name, weight in WEIGHTS.items()}
    print_rates(rates)
    for name, share in flicker.items():
        print(f"flicker {name}: {share:.2%} of the still pixels")
    if args.json:
        args.json.write_text(json.dumps({"rates": rates, "flicker": flicker}, indent=2) + "\n")


WEIGHTS = {"without --steady": 0.0, "with --steady": STEADY_WEIGHT}


def write_pan(path: Path, photograph: np.ndarray, size: tuple[int, int], count: int) -> None:
    """Writes a pan over a photograph, a pixel to the right and every other frame one down."""
    random = np.random.default_rng(0)
    height, width = size
    with VideoWriter(path, Fraction(1, RATE), Fraction(RATE)) as writer:
        for index in range(count):
            seen = photograph[index // 2 : index // 2 + height, index : index + width]
            if seen.shape[:2] != size:
                raise SystemExit("the photograph is too small for this pan; choose fewer frames or a smaller --size")
            noisy = seen + random.normal(0, NOISE, seen.shape)
            writer.write(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), index)


def measure_rates(model: Any, path: Path, count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds a frame of every contender, and shares of the rate of the network alone."""
    stop = (count - 0.5) / RATE
    with VideoReader(video_source(path), stop=stop) as reader:
        frames = [item.pixels for item in reader if isinstance(item, Frame)]
    draw = functools.partial(overlay, label_set=model.label_set)
    contenders: dict[str, Callable[[], Any]] = {
        "network": lambda: [model.segment(frame) for frame in frames],
        "one after the other": lambda: loop(model, path, stop, draw),
        "predict": lambda: overlapped(model, path, stop, draw),
    }
    for run in contenders.values():
        run()
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            begin, begin_cpu = time.perf_counter(), time.process_time()
            run()
            wall[name].append((time.perf_counter() - begin) / count)
            cpu[name].append((time.process_time() - begin_cpu) / count)
    return {
        name: {
            "ms": 1e3 * statistics.median(wall[name]),
            "cpu_ms": 1e3 * statistics.median(cpu[name]),
            "share": statistics.median(a / b for a, b in zip(wall["network"], wall[name], strict=True)),
            "cpu_share": statistics.median(a / b for a, b in zip(cpu["network"], cpu[name], strict=True)),
        }
        for name in contenders
    }


def loop(model: Any, path: Path, stop: float, draw: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """Decodes, segments and encodes one frame after the other."""
    with VideoReader(video_source(path), stop=stop) as reader:
        meter = FlickerMeter()
        with VideoWriter(path.with_name("loop.mp4"), reader.time_base, reader.rate) as writer:
            for item in reader:
                labels = model.segment(item.pixels)
                writer.write(draw(item.pixels, labels), item.pts)
                meter.add(item.pixels, labels)


def overlapped(model: Any, path: Path, stop: float, draw: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """What `predict` does."""
    with VideoReader(video_source(path), stop=stop) as reader:
        segment_video(reader, model.segment, draw, model.label_set.num_classes, path.with_name("overlapped.mp4"))


def measure_flicker(model: Any, path: Path, count: int, weight: float) -> float | None:
    """The share of still pixels whose label changes from one frame to the next."""
    meter, segment = FlickerMeter(), SteadySegmenter(model, weight)
    with VideoReader(video_source(path), stop=(count - 0.5) / RATE) as reader:
        for item in reader:
            meter.add(item.pixels, segment(item.pixels))
    return meter.share


def print_rates(rates: dict[str, dict[str, float]]) -> None:
    """A row per contender."""
    table = Table(title=f"a frame, {os.cpu_count()} cores")
    for header in ("", "wall", "processor", "share of the network's rate", "by processor time"):
        table.add_column(header, justify="right" if header else "left")
    for name, row in rates.items():
        shares = (f"{row[key]:.2f}" for key in ("share", "cpu_share"))
        table.add_row(name, f"{row['ms']:.0f} ms", f"{row['cpu_ms']:.0f} ms", *shares)
    Console().print(table)


if __name__ == "__main__":
    main()
