"""Speed and memory of a training step of SegFormer-B0: ours, the paper's literal decoder and KerasHub's network.

    pip install -e ".[benchmarks]"
    python benchmarks/training.py

A step is forward, backward and update for a batch of 4 with 11 classes, in float32 without XLA, through
`train_on_batch`; loss, optimizer and the size of the logits are the same for all. The literal decoder is the paper's:
enlarge, concatenate, map. KerasHub's network trains on square pictures alone, so it is compared at 416x416, which has
2 % more pixels than 352x480. The ratios are medians of the ratios within a round, in which every contender runs once.
Peak memory is that of a process of its own per contender.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.progress import track

from measurement import figures, peak_memory, print_table
from peers import keras_hub_b0

if TYPE_CHECKING:
    import keras

BATCH_SIZE = 4
NUM_CLASSES = 11
Size = tuple[int, int]
Step = Callable[[], float]


def ours(size: Size) -> Step:
    """Our network."""
    from keras_segformer.models import SegFormerNetwork

    # Unlike `SegFormer`, it compiles without metrics.
    return _step(SegFormerNetwork(_config()), size)


def literal(size: Size) -> Step:
    """Our network with the paper's form of the decoder."""
    import keras

    from keras_segformer.layers import ResizeLike
    from keras_segformer.models import MLPDecoder, SegFormerNetwork
    from literal_decoder import LiteralFusion

    network = SegFormerNetwork(_config())
    decoder = MLPDecoder(NUM_CLASSES, network.config.decoder_width)
    decoder.fusion = LiteralFusion(decoder.width)
    logits = decoder(network.backbone(network.get_layer("normalization").output))
    model = keras.Model(network.input, ResizeLike()([logits, network.input]))
    return _step(model, size)


def keras_hub(size: Size) -> Step:
    """KerasHub's segmenter."""
    import keras

    segmenter = keras_hub_b0(size, NUM_CLASSES)
    # Its own `compile` adds a metric.
    return _step(keras.Model(segmenter.input, segmenter.output), size)


CONTENDERS: dict[str, Callable[[Size], Step]] = {
    "ours": ours,
    "ours, literal decoder": literal,
    "KerasHub": keras_hub,
}
REFERENCE = {"ours, literal decoder": "ours", "KerasHub": "ours"}


def main() -> None:
    """Print a table per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes", type=_size, nargs="+", default=[(352, 480), (416, 416)], help="of the pictures, HEIGHTxWIDTH"
    )
    parser.add_argument("--rounds", type=int, default=15, help="times that every contender runs")
    parser.add_argument(
        "--keep-freed-memory", action="store_true", help="with glibc set as `keras-segformer train` sets it"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    names_of = {size: [name for name in CONTENDERS if name != "KerasHub" or size[0] == size[1]] for size in args.sizes}
    make = _make_keeping_memory if args.keep_freed_memory else _make
    memory_of = {
        size: {name: peak_memory(make, name, size) for name in track(names, "memory", transient=True)}
        for size, names in names_of.items()
    }
    # Not before: the processes whose memory is measured import this file.
    from keras_segformer.conversion.benchmark.timing import machine, seconds_in_turn

    results = {}
    for size, names in names_of.items():
        text = f"{size[0]}x{size[1]}"
        runs = {name: make(name, size) for name in names}
        results[text] = figures(seconds_in_turn(runs, args.rounds), memory_of[size], REFERENCE)
        title = f"Training step of SegFormer-B0, {BATCH_SIZE} pictures of {text}, {NUM_CLASSES} classes, float32"
        print_table(f"{title}; {machine()}", results[text])
    if args.json:
        report = {
            "machine": machine(),
            "rounds": args.rounds,
            "keep_freed_memory": args.keep_freed_memory,
            "sizes": results,
        }
        args.json.write_text(json.dumps(report, indent=2) + "\n")


def _make(name: str, size: Size) -> Step:
    return CONTENDERS[name](size)


def _make_keeping_memory(name: str, size: Size) -> Step:
    from keras_segformer.allocator import keep_freed_memory

    if not keep_freed_memory():
        raise SystemExit("--keep-freed-memory needs Linux with glibc.")
    return _make(name, size)


def _config() -> object:
    from keras_segformer.models import VARIANTS

    return VARIANTS["b0"].replace(num_classes=NUM_CLASSES)


def _step(model: keras.Model, size: Size) -> Step:
    from keras_segformer.training.losses import SegmentationLoss
    from keras_segformer.training.optimizer import GroupedAdamW

    generator = np.random.default_rng(0)
    images = generator.uniform(0, 255, (BATCH_SIZE, *size, 3)).astype("float32")
    masks = generator.integers(0, NUM_CLASSES, (BATCH_SIZE, *size)).astype("uint8")
    model.compile(GroupedAdamW(), SegmentationLoss(), jit_compile=False)
    return lambda: float(model.train_on_batch(images, masks))


def _size(text: str) -> Size:
    height, _, width = text.partition("x")
    return int(height), int(width)


if __name__ == "__main__":
    main()
