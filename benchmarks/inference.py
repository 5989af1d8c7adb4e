"""Speed and memory of SegFormer-B0 inference: ours, KerasHub's and ONNX Runtime's, in turn in one process.

    pip install -e ".[benchmarks]"
    python benchmarks/inference.py --onnx segformer_b0_512.onnx

The ratios are medians of the ratios within a round, in which every contender runs once. Contenders are compared at
equal output, float32 logits of 150 classes: at the size of the image, where writing and copying them (157 MB at
512x512) costs all the same, or at a quarter of it, as the ONNX file has them. Peak memory is that of a process of its
own per contender.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.progress import track

from measurement import figures, peak_memory, print_table
from peers import keras_hub_b0

NUM_CLASSES = 150
Contender = Callable[[], np.ndarray]


def ours(size: int, onnx: Path | None, output_stride: int = 1, compiled: bool = True) -> Contender:
    """Our network, through `predict_on_batch` or called eagerly."""
    import keras_segformer

    config = keras_segformer.VARIANTS["b0"].replace(output_stride=output_stride, num_classes=NUM_CLASSES)
    return _runner(keras_segformer.SegFormer(config), size, compiled)


def keras_hub(size: int, onnx: Path | None, output_stride: int = 1, compiled: bool = True) -> Contender:
    """KerasHub's segmenter of the same widths and depths; its last layer enlarges the logits."""
    import keras

    model = keras_hub_b0((size, size), NUM_CLASSES)
    if output_stride == 4:
        model = keras.Model(model.input, model.layers[-1].input)
    return _runner(model, size, compiled)


def onnx_runtime(size: int, onnx: Path | None) -> Contender:
    """ONNX Runtime on a file that transformers' network was exported to: `(1, 3, H, W)`, logits at 1/4."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: np.ascontiguousarray(_image(size).transpose(0, 3, 1, 2))}
    return lambda: session.run(None, feed)[0]


CONTENDERS: dict[str, Callable[..., Contender]] = {
    "ours, predict": ours,
    "KerasHub, predict": keras_hub,
    "ours, eager": functools.partial(ours, compiled=False),
    "KerasHub, eager": functools.partial(keras_hub, compiled=False),
    "ours, predict, logits at 1/4": functools.partial(ours, output_stride=4),
    "KerasHub, predict, logits at 1/4": functools.partial(keras_hub, output_stride=4),
    "ONNX Runtime, logits at 1/4": onnx_runtime,
}
# Every row is divided by the row named here.
REFERENCE = {
    "KerasHub, predict": "ours, predict",
    "KerasHub, eager": "ours, eager",
    "KerasHub, predict, logits at 1/4": "ours, predict, logits at 1/4",
    "ONNX Runtime, logits at 1/4": "ours, predict, logits at 1/4",
}


def main() -> None:
    """Print a table per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024], help="sides of the square image")
    parser.add_argument("--rounds", type=int, default=15, help="times that every contender runs")
    parser.add_argument("--onnx", type=Path, help="ONNX file of B0 for images of 512x512")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    names_of = {
        size: [name for name in CONTENDERS if name != "ONNX Runtime, logits at 1/4" or (args.onnx and size == 512)]
        for size in args.sizes
    }
    memory_of = {
        size: {name: peak_memory(CONTENDERS[name], size, args.onnx) for name in track(names, "memory", transient=True)}
        for size, names in names_of.items()
    }
    # Not before: the processes whose memory is measured import this file.
    from keras_segformer.conversion.benchmark.timing import machine, seconds_in_turn

    results = {}
    for size, names in names_of.items():
        runs = {name: CONTENDERS[name](size, args.onnx) for name in names}
        seconds = seconds_in_turn(runs, args.rounds)
        results[size] = figures(seconds, memory_of[size], REFERENCE)
        print_table(f"SegFormer-B0, {size}x{size}, {NUM_CLASSES} classes, float32; {machine()}", results[size])
    if args.json:
        report = {"machine": machine(), "rounds": args.rounds, "sizes": results}
        args.json.write_text(json.dumps(report, indent=2) + "\n")


def _runner(model: object, size: int, compiled: bool) -> Contender:
    image = _image(size)
    if compiled:
        return lambda: model.predict_on_batch(image)
    return lambda: np.asarray(model(image, training=False))


def _image(size: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (1, size, size, 3)).astype("float32")


if __name__ == "__main__":
    main()
