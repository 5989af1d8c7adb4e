"""What stays whole, and what stays small: kills, memory over hours, threads, two writers, half precision.

    pip install -e ".[dev]"
    python benchmarks/reliability.py kills              # 100 hits on every writer, 30 on training
    python benchmarks/reliability.py memory             # predictions, conversions, epochs, evaluations
    python benchmarks/reliability.py threads writers    # one model in four threads; two processes on one output
    python benchmarks/reliability.py flat               # float16 and bfloat16 on pictures of one colour

Networks and pictures are tiny where the question is not about accuracy: what leaks, leaks with them too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from rich.console import Console
from rich.table import Table

from kills import CLASSES, WRITERS, hit_training, hit_writers, models, preset_writer, tiny_config, write_folder

SIZES = [(height, width) for height in range(32, 82, 10) for width in range(32, 132, 10)]
COLORS = {"black": 0, "dark grey": 64, "grey": 128, "light grey": 192, "white": 255}
PARTS = ("kills", "memory", "threads", "writers", "flat")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--hits", type=int, default=100, help="on every writer; training gets a third")
    parser.add_argument("--only", nargs="+", choices=(*WRITERS, "training", *LOADS), help="writers, or kinds of load")
    parser.add_argument("--share", type=float, default=1.0, help="of the load whose memory is measured")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    figures = {}
    for part in args.parts:
        rows = figures[part] = globals()[f"_{part}"](args)
        _print(part, rows)
        if args.json:
            args.json.write_text(json.dumps(figures, indent=2) + "\n")


def _print(title: str, rows: dict[str, dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    table = Table(title=title)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    for name, row in rows.items():
        cells = (row.get(column, "") for column in columns)
        table.add_row(name, *(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells))
    Console(width=140).print(table)


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Calls a function in a fork of this process, so that TensorFlow starts afresh, and returns what JSON can hold.

    Args:
        function: What to call.
        arguments: Its arguments.

    Returns:
        Its result.

    Raises:
        RuntimeError: It failed; the traceback is on standard error.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with os.fdopen(writing, "w") as answer:
                json.dump(function(*arguments), answer)
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise RuntimeError(f"{function.__name__} failed")
    return json.loads(text)


def _kills(args: argparse.Namespace) -> dict[str, Any]:
    import tensorflow as tf  # noqa: F401 (the children share what is loaded here)

    import keras_segformer.training.run  # noqa: F401

    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in WRITERS:
            if not args.only or name in args.only:
                rows |= in_child(hit_writers, (name,), args.hits, Path(folder, name.replace(" ", "_")))
        if not args.only or "training" in args.only:
            place = Path(folder, "training")
            place.mkdir()
            rows["training"] = in_child(hit_training, -(-args.hits * 3 // 10), place)
    return rows


def _memory(args: argparse.Namespace) -> dict[str, Any]:
    rows = {}
    for name, (_, count) in LOADS.items():
        if not args.only or name in args.only:
            rows[name] = in_child(measure_memory, name, max(int(count * args.share), 8))
    return rows


def measure_memory(name: str, count: int) -> dict[str, Any]:
    """Measures the resident memory of this process under a load.

    Args:
        name: Of `LOADS`.
        count: How many times the load is repeated.

    Returns:
        The memory at a tenth of the way, at half of it and at its end, in MB, and the slope over the second half, in
        MB for a hundred repetitions.
    """
    load, _ = LOADS[name]
    resident = []
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        for _ in itertools.islice(load(Path(folder)), count):
            resident.append(resident_mb())
    late = np.array(resident[count // 2 :])
    slope = np.polyfit(np.arange(len(late)), late, 1)[0] * 100
    return {
        "repetitions": count,
        "seconds": round(time.monotonic() - start),
        "MB at 10 %": round(resident[count // 10]),
        "MB at 50 %": round(resident[count // 2]),
        "MB at the end": round(resident[-1]),
        "MB per 100 in the second half": round(float(slope), 2),
    }


def resident_mb() -> float:
    """Returns the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _predictions(_: Path) -> Iterator[None]:
    model = models(limit_threads=False)[0]
    noise = np.random.default_rng(0)
    for size in itertools.cycle(SIZES):
        model.segment(noise.integers(0, 256, (*size, 3), np.uint8))
        yield


def _conversions(folder: Path) -> Iterator[None]:
    from keras_segformer.conversion import convert

    model = models(limit_threads=False)[0]
    while True:
        convert(model, folder / "model.tflite", input_size=(64, 64), report=False)
        yield


def _epochs(_: Path) -> Iterator[None]:
    import tensorflow as tf

    model = models(limit_threads=False)[0]
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (4, 32, 32, 3), np.uint8)
    masks = noise.integers(0, CLASSES[0], (4, 32, 32), np.uint8)
    dataset = tf.data.Dataset.from_tensor_slices((images, masks)).batch(2)
    model.compile(learning_rate=1e-4)
    while True:
        model.fit(dataset, validation_data=dataset, verbose=0)
        yield


def _evaluations(folder: Path) -> Iterator[None]:
    from keras_segformer import SegFormer
    from keras_segformer.data import load
    from keras_segformer.evaluation import evaluate

    write_folder(folder / "data", 4)
    examples = load("folder", "train", data=folder / "data", cache=folder / "cache")
    model = SegFormer(tiny_config(3))
    while True:
        evaluate(model, examples)
        yield


LOADS: dict[str, tuple[Callable[[Path], Iterator[None]], int]] = {
    "predictions of 50 sizes": (_predictions, 2000),
    "conversions": (_conversions, 300),
    "epochs": (_epochs, 300),
    "evaluations": (_evaluations, 100),
}
"""What is repeated, and how often."""


def _threads(_: argparse.Namespace) -> dict[str, Any]:
    return {"four threads, one model": in_child(segment_in_threads)}


def segment_in_threads(threads: int = 4, pictures: int = 40) -> dict[str, Any]:
    """Segments pictures in threads that share a model.

    Args:
        threads: The number of threads.
        pictures: The number of pictures, of several sizes.

    Returns:
        The number of pictures, and of those whose labels differ from the labels of a single thread.
    """
    model = models(limit_threads=False)[0]
    noise = np.random.default_rng(0)
    images = [noise.integers(0, 256, (*SIZES[7 * index % 20], 3), np.uint8) for index in range(pictures)]
    with ThreadPoolExecutor(threads) as pool:  # first, so that the threads compile, too
        together = list(pool.map(model.segment, images))
    alone = [model.segment(image) for image in images]
    different = sum(not np.array_equal(one, other) for one, other in zip(together, alone, strict=True))
    return {"pictures": pictures, "different from one thread": different}


def _writers(_: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return {"two processes, one preset": in_child(write_together, Path(folder))}


def write_together(folder: Path, seconds: float = 10) -> dict[str, Any]:
    """Lets two processes write one preset over and over, and reads it meanwhile.

    Args:
        folder: An empty folder.
        seconds: How long.

    Returns:
        How many writes there were, how many were refused because the other process was writing, and how many reads
        found a whole preset. What else a read or a write meets is an error.

    Raises:
        AssertionError: A reader found something that is not whole.
    """
    networks = models()
    writer = preset_writer(networks, folder)
    writer.write(0)
    end = time.monotonic() + seconds
    outputs = [folder.parent / f"{folder.name}_{version}.txt" for version in (0, 1)]
    children = []
    for version, output in enumerate(outputs):
        child = os.fork()
        if child == 0:
            counts = Counter()
            try:
                while time.monotonic() < end:
                    counts[_write_or_not(writer.write, version)] += 1
                output.write_text(json.dumps(counts))
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    reads = Counter()
    while time.monotonic() < end:
        reads[_read_or_not(writer.find)] += 1
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "a writer failed"
    total = sum((Counter(json.loads(output.read_text())) for output in outputs), Counter())
    for output in outputs:
        output.unlink()
    return {**total, **reads}


def _write_or_not(write: Callable[[int], Any], version: int) -> str:
    import errno

    try:
        write(version)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return "refused"
    return "written"


def _read_or_not(find: Callable[[], int | None]) -> str:
    """Reads three files one after the other: between them the folder may be another one, whose digest then differs."""
    from keras_segformer.errors import InvalidPresetError

    try:
        find()
    except (InvalidPresetError, FileNotFoundError):
        return "read during an exchange, and refused"
    return "read whole"


def _flat(_: argparse.Namespace) -> dict[str, Any]:
    rows = {}
    for dtype in ("float16", "bfloat16"):
        rows |= in_child(compare_flat, dtype)
    return rows


def compare_flat(dtype: str, preset: str = "b0_camvid", size: tuple[int, int] = (360, 480)) -> dict[str, Any]:
    """Compares labels in half precision with those in float32, on pictures of one colour and on a photograph.

    Args:
        dtype: `"float16"` or `"bfloat16"`.
        preset: The model.
        size: Height and width of the pictures.

    Returns:
        For every picture the share of equal labels; the median lead of the first class over the second, in float32
        logits, where labels differ and where they do not; the largest difference of any logit.
    """
    from keras_segformer import SegFormer
    from keras_segformer.images import load_image

    exact, half = SegFormer.from_preset(preset), SegFormer.from_preset(preset, dtype=dtype)
    pictures = {name: np.full((*size, 3), value, np.uint8) for name, value in COLORS.items()}
    street = load_image(Path(__file__).parents[1] / "docs/street.jpg")
    rows = {}
    for name, picture in (pictures | {"street.jpg": street[: size[0], : size[1]]}).items():
        logits, rounded = (np.asarray(model(picture[None]), "float32")[0] for model in (exact, half))
        second, first = np.sort(logits, axis=-1)[..., -2:].transpose(2, 0, 1)
        differs = logits.argmax(-1) != rounded.argmax(-1)
        lead = first - second
        rows[f"{dtype}, {name}"] = {
            "equal labels": float(1 - differs.mean()),
            "lead where equal": float(np.median(lead[~differs])) if not differs.all() else float("nan"),
            "lead where different": float(np.median(lead[differs])) if differs.any() else float("nan"),
            "largest error of a logit": float(np.abs(logits - rounded).max()),
        }
    return rows


if __name__ == "__main__":
    main()
