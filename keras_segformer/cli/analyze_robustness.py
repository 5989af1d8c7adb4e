"""`keras-segformer analyze robustness`: scores on corrupted pictures."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from rich.table import Table

from keras_segformer.analysis import Robustness, draw_robustness, robustness
from keras_segformer.analysis.corrupted_scores import chosen_pairs, corrupted_pictures, paper_mean_of_clean
from keras_segformer.analysis.corruption_names import CORRUPTIONS, PAPER_CLEAN
from keras_segformer.analysis.corruptions import import_library
from keras_segformer.cli.dataset import check_dataset, load_dataset
from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.figures import check_figure_path
from keras_segformer.files import atomic_file
from keras_segformer.json_text import read_json
from keras_segformer.segformer import SegFormer

_SEVERITIES = range(1, 6)


def run(args: argparse.Namespace) -> int:
    """Scores a model under every corruption, and keeps the scores after each.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        FileNotFoundError: There is no such model, class mapping, folder of data or run to go on with.
        InvalidDatasetError: The data set is broken, or has no such split.
        MissingExtraError: imagecorruptions-imaug, tensorflow-datasets or matplotlib is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: The model does not fit the data set or the options, or the run to go on with is another one.
    """
    if args.figure:
        check_figure_path(args.figure)
    import_library()
    chosen_pairs(args.corruptions, args.severities)
    known = _read_run(args)
    check_dataset(args)
    # Before the data set, whose preparation may take hours.
    model = TFLiteModel(args.model) if args.model else SegFormer.from_preset(args.preset)
    asked = _what_was_asked(args, model)
    _check_same_run(args, known, asked)
    examples, class_mapping = load_dataset(args)
    options = {"mode": args.mode, "size": args.size, "class_mapping": class_mapping, "antialias": args.antialias}

    def keep(result: Robustness, complete: bool = False) -> None:
        if args.json:
            write_json(args.json, asked | {"complete": complete} | result.to_dict())

    with step_bars() as progress:
        result = robustness(
            model,
            examples,
            args.corruptions,
            args.severities,
            args.seed,
            **options,
            known=Robustness.from_dict(known) if known else None,
            on_score=keep,
            progress=progress,
        )
    keep(result, complete=True)
    if args.figure:
        severity = 3 if not args.severities or 3 in args.severities else min(args.severities)
        pictures = corrupted_pictures(model, examples, list(result.scores), severity, args.seed, **options)
        with atomic_file(args.figure) as temporary:
            draw_robustness(result, pictures, examples.label_set).savefig(temporary)
    _print(result)
    return 0


def _read_run(args: argparse.Namespace) -> dict[str, Any] | None:
    """The run to go on with."""
    if args.resume:
        if not args.json:
            raise ValueError("--resume goes on with the run in a file; name it with --json")
        return _read_json(args)
    if args.json and args.json.exists() and _read_json(args).get("complete") is False:
        raise FileExistsError(f"'{args.json}' holds an unfinished run; go on with --resume, or name another file")
    return None


def _read_json(args: argparse.Namespace) -> dict[str, Any]:
    content = read_json(args.json)
    if not isinstance(content, dict) or not {"clean", "corruptions"} <= content.keys():
        raise ValueError(f"'{args.json}' does not hold a run of `analyze robustness`; name another file")
    return content


def _what_was_asked(args: argparse.Namespace, model: SegFormer | TFLiteModel) -> dict[str, Any]:
    """Everything that the scores depend on."""
    return {
        "model": str(args.model or args.preset),
        "weights": _digest(model),
        "dataset": args.dataset,
        "split": args.split,
        "limit": args.limit,
        "class_mapping": args.class_mapping and str(args.class_mapping),
        "mode": args.mode,
        "size": list(args.size) if isinstance(args.size, tuple) else args.size,
        "antialias": args.antialias,
        "seed": args.seed,
        "library": f"imagecorruptions-imaug {version('imagecorruptions-imaug')}",
    }


def _digest(model: SegFormer | TFLiteModel) -> str:
    """SHA-256 of what the model computes with."""
    if isinstance(model, TFLiteModel):
        return hashlib.sha256(model.content).hexdigest()
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight))
    return digest.hexdigest()


def _check_same_run(args: argparse.Namespace, known: Mapping[str, Any] | None, asked: Mapping[str, Any]) -> None:
    different = [key for key, value in asked.items() if known and known.get(key) != value]
    if different:
        raise ValueError(
            f"'{args.json}' holds a run of other {' and '.join(different)}; name another file, or ask for the same"
        )


def _print(result: Robustness) -> None:
    console = make_console(highlight=False)
    console.print(_table(result))
    paper = " and ".join(f"{score} %" for score in PAPER_CLEAN.values())
    console.print(f"mean IoU on clean pictures {result.clean:.2%}; of the paper's models on Cityscapes {paper}")


def _table(result: Robustness) -> Table:
    table = make_table(
        "Corruption", *map(str, _SEVERITIES), "Mean", "Of clean", "B5 (paper)", "DeepLabv3+ MobileNetV2 (paper)"
    )
    for name, mean in result.by_corruption.items():
        severities = (_percent(result.scores[name].get(severity)) for severity in _SEVERITIES)
        paper = CORRUPTIONS[name]
        shares = (paper.paper_b5 / PAPER_CLEAN["b5"], paper.paper_deeplab / PAPER_CLEAN["deeplab"])
        cells = (mean, result.relative(mean), *shares)
        table.add_row(name.replace("_", " "), *severities, *map(_percent, cells))
    table.add_section()
    cells = (result.mean, result.relative(result.mean), paper_mean_of_clean("b5"), paper_mean_of_clean("deeplab"))
    table.add_row("mean", *[""] * len(_SEVERITIES), *map(_percent, cells))
    return table


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
