"""The paper's ablations (arXiv 2105.15203, tables 1b to 1d) at CamVid's scale: every row trained with the same budget.

    pip install -e ".[training]"
    python benchmarks/ablations.py --data CamVid --output runs
    python benchmarks/ablations.py --table       # what docs/paper/ablations.json holds

Each run follows docs/paper/ablation_recipe.json with the changes of its row, is evaluated on the whole validation
pictures and in windows of the size that it was trained at, and is added to docs/paper/ablations.json. A command
that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from rich.console import Console
from rich.table import Table

FOLDER = Path(__file__).parents[1] / "docs/paper"
RECIPE, RESULTS = FOLDER / "ablation_recipe.json", FOLDER / "ablations.json"
SEEDS = (0, 1)


@dataclasses.dataclass(frozen=True)
class Row:
    """What is compared.

    Args:
        tables: The paper's tables in which it is a row.
        changes: Fields of the recipe.
        cnn: A network of `keras.applications` in place of the Mix Transformer.
    """

    tables: tuple[str, ...]
    changes: Mapping[str, Any]
    cnn: str | None = None


ROWS = {
    "B0": Row(("1b", "1c", "1d"), {}),
    "decoder of 64 channels": Row(("1b",), {"model.decoder_width": 64}),
    "decoder of 768 channels": Row(("1b",), {"model.decoder_width": 768}),
    "learned positional encoding": Row(
        ("1c",), {"model.positional_encoding": "learned", "model.positional_resolution": [120, 160]}
    ),
    "stage 4 alone": Row(("1d",), {"model.decoder_stages": [4]}),
    "MobileNetV2, all stages": Row(("1d",), {}, cnn="MobileNetV2"),
}


def train_row(name: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Trains and evaluates.

    Args:
        name: One of `ROWS`.
        seed: Of initial weights, order and augmentation.
        options: Of the command line.

    Returns:
        A result for the JSON file.
    """
    import keras

    from keras_segformer import SegFormer
    from keras_segformer.conversion.benchmark.timing import machine
    from keras_segformer.data import load
    from keras_segformer.training import RunSettings, load_recipe, train

    keras.backend.clear_session()
    changes = {**ROWS[name].changes, "seed": seed}
    recipe = load_recipe(RECIPE).replace(changes)
    output = options.output / f"{name.replace(' ', '_').replace(',', '')}_{seed}"
    start = time.perf_counter()
    preset = train(network_of(ROWS[name]), recipe, RunSettings(output, data=options.data, resume=output.exists()))
    seconds = time.perf_counter() - start
    scores = json.loads((output / "scores.json").read_text(encoding="utf-8"))["scores"]
    model = SegFormer.from_preset(preset)
    in_windows = window_score(model, load("camvid", "val", options.data), recipe.augmentation["crop_size"])
    settings = "".join(f" --set {key}={json.dumps(value, separators=(',', ':'))}" for key, value in changes.items())
    return {
        "name": name,
        "seed": seed,
        "steps": recipe.total_steps,
        "command": f"keras-segformer train --recipe docs/paper/ablation_recipe.json{settings} --data DIR --output RUN"
        if ROWS[name].cnn is None
        else f"python benchmarks/ablations.py --data DIR --output RUNS --rows '{name}'",
        "parameters": model.count_params(),
        "mean_iou": scores["mean_iou"],
        "pixel_accuracy": scores["pixel_accuracy"],
        "mean_iou_in_windows": in_windows,
        "seconds": round(seconds),
        "machine": machine(),
    }


def network_of(row: Row) -> type:
    """The class of the model: with a foreign encoder, one that makes it from the fields of a configuration."""
    from keras_segformer import SegFormer
    from keras_segformer.analysis import cnn_backbone

    if row.cnn is None:
        return SegFormer

    class CNNSegFormer(SegFormer):
        def __init__(self, config: Any, backbone: Any = None, **keywords: Any) -> None:
            if backbone is None:
                fields = ("num_classes", "input_size", "decoder_width", "output_stride")
                kept = {field: getattr(config, field) for field in fields}
                config, backbone = cnn_backbone(row.cnn, weights=None, **kept)
                follow_short_runs(backbone)
            super().__init__(config, backbone, **keywords)

    return CNNSegFormer


def follow_short_runs(backbone: Any) -> None:
    """Averages the statistics of batch norms over some dozen steps: Keras' .999 for MobileNetV2 takes thousands."""
    import keras

    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.97


def window_score(model: Any, examples: Any, window: tuple[int, int]) -> float:
    """Mean IoU where the network sees one window at a time, of the size that it was trained at.

    Args:
        model: The network.
        examples: Pictures whose sides are multiples of the window's.
        window: Height and width in pixels.

    Returns:
        The score over all pixels.
    """
    from keras_segformer.evaluation import ConfusionMatrix
    from keras_segformer.evaluation.evaluate import decoded

    confusion = ConfusionMatrix(examples.label_set.num_classes)
    for _, image, labels in decoded(examples):
        rows, columns = image.shape[0] // window[0], image.shape[1] // window[1]
        tiles = image.reshape(rows, window[0], columns, window[1], 3).swapaxes(1, 2)  # (rows, columns, H, W, 3)
        logits = model.predict(tiles.reshape(-1, *window, 3), verbose=0)
        found = logits.argmax(axis=-1).reshape(rows, columns, *window).swapaxes(1, 2).reshape(labels.shape)
        confusion.update(labels, found)
    return confusion.scores().mean_iou


def print_results(results: list[dict[str, Any]]) -> None:
    """The mean and the range over the seeds, by table of the paper."""
    for table in ("1b", "1c", "1d"):
        shown = Table(title=f"Table {table} at CamVid's scale")
        for header in ("", "parameters", "runs", "whole pictures", "windows of the training's size"):
            shown.add_column(header, justify="left" if not header else "right")
        for name in (name for name, row in ROWS.items() if table in row.tables):
            found = [each for each in results if each["name"] == name]
            if found:
                scores = (spread([each[key] for each in found]) for key in ("mean_iou", "mean_iou_in_windows"))
                shown.add_row(name, f"{found[0]['parameters'] / 1e6:.2f} M", str(len(found)), *scores)
        if shown.row_count:
            Console(width=120).print(shown)


def spread(values: list[float]) -> str:
    """Mean, and half of the range, in percent."""
    return f"{100 * statistics.mean(values):.1f} ± {50 * (max(values) - min(values)):.1f}"


def main() -> None:
    """Trains what is missing, and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of CamVid")
    parser.add_argument("--output", type=Path, help="where the runs are kept")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS), help="what is trained")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--table", action="store_true", help="only print the results that are there")
    options = parser.parse_args()
    if not options.table and not (options.data and options.output):
        parser.error("name the folder of CamVid with --data and one for the runs with --output, or give --table")
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    there = {(each["name"], each["seed"]) for each in results}
    wanted = [(name, seed) for seed in options.seeds for name in options.rows]
    missing = [each for each in wanted if each not in there] if not options.table else []
    for number, (name, seed) in enumerate(missing, start=1):
        print(f"Run {number} of {len(missing)}: {name}, seed {seed}")
        results.append(train_row(name, seed, options))
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print_results(results)


if __name__ == "__main__":
    main()
