"""Time and memory that a teacher adds to a training step of SegFormer-B0.

    pip install -e ".[benchmarks]"
    python benchmarks/distillation.py

A step is forward, backward and update for a batch of 4 with 11 classes, in float32 without XLA, through
`train_on_batch`. The ratios are medians of the ratios within a round, in which every contender runs once. Peak memory
is that of a process of its own per contender. All weights are random, which changes neither.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.progress import track

from measurement import Run, figures, peak_memory, print_table

BATCH_SIZE = 4
NUM_CLASSES = 11
ALONE = "no teacher"


def step(contender: str, size: tuple[int, int]) -> Run:
    """A training step of a B0 student with the teacher that the contender is named after."""
    from keras_segformer.models import SegFormerNetwork
    from keras_segformer.training import distill
    from keras_segformer.training.losses import SegmentationLoss
    from keras_segformer.training.optimizer import GroupedAdamW

    # Unlike `SegFormer`, it compiles without metrics.
    student = SegFormerNetwork("b0", num_classes=NUM_CLASSES, output_stride=4)
    if contender != ALONE:
        kind, variant = contender.split()
        distill(student, SegFormerNetwork(variant, num_classes=NUM_CLASSES), kind)
    generator = np.random.default_rng(0)
    images = generator.uniform(0, 255, (BATCH_SIZE, *size, 3)).astype("float32")
    masks = generator.integers(0, NUM_CLASSES, (BATCH_SIZE, *size)).astype("uint8")
    student.compile(GroupedAdamW(), SegmentationLoss(), jit_compile=False)
    return lambda: float(student.train_on_batch(images, masks))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=[192, 256], help="height and width of the pictures")
    parser.add_argument("--teachers", nargs="+", default=["b0", "b2"], help="variants that teach")
    parser.add_argument("--rounds", type=int, default=15, help="times that every contender runs")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    size = tuple(args.size)
    names = [ALONE, *(f"{kind} {teacher}" for teacher in args.teachers for kind in ("pixel", "channel"))]
    memory = {name: peak_memory(step, name, size) for name in track(names, "memory", transient=True)}
    # Not before: the processes whose memory is measured import this file.
    from keras_segformer.conversion.benchmark.timing import machine, seconds_in_turn

    runs = {name: step(name, size) for name in names}
    results = figures(seconds_in_turn(runs, args.rounds), memory, dict.fromkeys(names[1:], ALONE))
    title = f"Training step of SegFormer-B0, {BATCH_SIZE} pictures of {size[0]}x{size[1]}, by teacher"
    print_table(f"{title}; {machine()}", results)
    if args.json:
        report = {"machine": machine(), "rounds": args.rounds, "size": size, "contenders": results}
        args.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
