"""Speed and memory of SegFormer-B0 inference: ours, KerasHub's and ONNX Runtime's, in turn in one process.

    pip install -e ".[benchmarks]"
    python benchmarks/inference.py --onnx segformer_b0_512.onnx

Every round runs every contender once, in an order of its own, so that neither the drift of a machine nor the memory
that one contender leaves to the next favours any; the ratios are medians of the ratios within a round. Contenders are
compared at equal output, float32 logits of 150 classes: at the size of the image, where writing and copying them
(157 MB at 512x512) costs all the same, or at a quarter of it, as the ONNX file has them. Peak memory is that of a
process of its own per contender.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import platform
import random
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

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
    from keras_hub.models import MiTBackbone, SegFormerBackbone, SegFormerImageSegmenter

    encoder = MiTBackbone(
        layerwise_depths=[2, 2, 2, 2],
        num_layers=4,
        image_shape=(size, size, 3),
        hidden_dims=[32, 64, 160, 256],
        layerwise_num_heads=[1, 2, 5, 8],
        layerwise_sr_ratios=[8, 4, 2, 1],
        max_drop_path_rate=0.1,
        layerwise_patch_sizes=[7, 3, 3, 3],
        layerwise_strides=[4, 2, 2, 2],
    )
    backbone = SegFormerBackbone(image_encoder=encoder, projection_filters=256)
    model = SegFormerImageSegmenter(backbone=backbone, num_classes=NUM_CLASSES)
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
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"
    names_of = {
        size: [name for name in CONTENDERS if name != "ONNX Runtime, logits at 1/4" or (args.onnx and size == 512)]
        for size in args.sizes
    }
    # Before anything is loaded here: a process starts with the peak of the one that it comes from.
    memory_of = {
        size: {name: _peak_memory(name, size, args.onnx) for name in track(names, "memory", transient=True)}
        for size, names in names_of.items()
    }
    results = {}
    for size, names in names_of.items():
        seconds, memory = _measure(names, size, args.onnx, args.rounds), memory_of[size]
        results[size] = {name: _figures(name, seconds, memory) for name in names}
        _print_table(size, results[size], machine)
    if args.json:
        args.json.write_text(json.dumps({"machine": machine, "rounds": args.rounds, "sizes": results}, indent=2) + "\n")


def _measure(names: list[str], size: int, onnx: Path | None, rounds: int) -> dict[str, list[float]]:
    runs = {name: CONTENDERS[name](size, onnx) for name in names}
    for run in runs.values():
        run(), run()  # compile, then settle
    seconds: dict[str, list[float]] = {name: [] for name in names}
    order = random.Random(0)
    for _ in track(range(rounds), description=f"{size}x{size}", transient=True):
        for name in order.sample(names, len(names)):
            start = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _figures(name: str, seconds: dict[str, list[float]], memory: dict[str, float]) -> dict[str, float | None]:
    reference = REFERENCE.get(name)
    ratios = reference and [mine / other for mine, other in zip(seconds[name], seconds[reference], strict=True)]
    return {
        "median_ms": 1e3 * statistics.median(seconds[name]),
        "ratio_to_ours": statistics.median(ratios) if ratios else None,
        "peak_memory_mb": memory[name],
    }


def _peak_memory(name: str, size: int, onnx: Path | None) -> float:
    """Peak resident memory, in MB, of a fresh process that runs the contender twice."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_run_and_report_memory, (name, size, onnx))


def _run_and_report_memory(name: str, size: int, onnx: Path | None) -> float:
    run = CONTENDERS[name](size, onnx)
    run(), run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _runner(model: object, size: int, compiled: bool) -> Contender:
    image = _image(size)
    if compiled:
        return lambda: model.predict_on_batch(image)
    return lambda: np.asarray(model(image, training=False))


def _image(size: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (1, size, size, 3)).astype("float32")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _print_table(size: int, figures: dict[str, dict[str, float | None]], machine: str) -> None:
    table = Table(title=f"SegFormer-B0, {size}x{size}, {NUM_CLASSES} classes, float32; {machine}")
    table.add_column("contender")
    for header in ("median", "times ours", "peak memory"):
        table.add_column(header, justify="right")
    for name, row in figures.items():
        ratio = f"{row['ratio_to_ours']:.2f}" if row["ratio_to_ours"] else ""
        table.add_row(name, f"{row['median_ms']:.0f} ms", ratio, f"{row['peak_memory_mb']:.0f} MB")
    Console().print(table)


if __name__ == "__main__":
    main()
