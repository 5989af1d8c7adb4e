"""`keras-segformer analyze micro`: networks on a chip with 100 KB of memory."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import numpy as np
from rich.table import Table

from keras_segformer.cli.dataset import check_dataset, has_dataset, load_dataset
from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.conversion.mcu.figure import draw_micro
from keras_segformer.conversion.mcu.measure import MicroPoint, measure_micro
from keras_segformer.figures import check_figure_path
from keras_segformer.files import atomic_file
from keras_segformer.images import find_images
from keras_segformer.models import VARIANTS
from keras_segformer.segformer import SegFormer

_NUM_CLASSES = 11  # those of CamVid


def run(args: argparse.Namespace) -> int:
    """Converts networks for microcontrollers at several sizes, and prints what they need and score.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        FileNotFoundError: There are no such pictures or data.
        InvalidDatasetError: The data set is broken, or has no such split.
        MissingExtraError: ethos-u-vela is needed, and not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: A network cannot be converted, tflite-micro is not installed, or arguments do not fit each other.
    """
    if args.figure:
        check_figure_path(args.figure)
    check_dataset(args, required=False)
    if not args.preset and not args.architectures:
        raise ValueError("there is no network; name presets with --preset, or --architectures for random weights")
    if args.preset and not args.calibration:
        raise ValueError("the ranges of INT8 are fitted to pictures; name some with --calibration")
    if args.antialias and not has_dataset(args):
        raise ValueError("--antialias is for the pictures of a data set; name its folder with --data, or leave it out")
    calibration = find_images(args.calibration) if args.calibration else _noise()
    examples, _ = load_dataset(args) if has_dataset(args) else (None, None)
    points: list[MicroPoint] = []
    with step_bars() as progress:
        networks = list(_networks(args))
        advance = progress("Measuring", len(networks) * len(args.sides))
        for name, model, is_trained in networks:
            for side in sorted(set(args.sides)):
                scored = examples if is_trained else None
                options = {"antialias": args.antialias, "accelerator": args.ethos_u}
                points.append(measure_micro(model, name, (side, side), calibration, scored, **options))
                advance()
                if args.json:  # after each, since the next may take long
                    write_json(args.json, {"points": [point.to_dict() for point in points]})
    if args.figure:
        with atomic_file(args.figure) as temporary:
            draw_micro(points).savefig(temporary)
    console = make_console(highlight=False)
    console.print(_table(points))
    if args.ethos_u:
        console.print(_table_of_ethos_u(points))
    return 0


def _networks(args: argparse.Namespace) -> Iterator[tuple[str, SegFormer, bool]]:
    """Names and networks, and whether they are trained."""
    for preset in args.preset or ():
        yield preset, SegFormer.from_preset(preset), True
    for name in args.architectures or ():
        # Without GELU, for which there is no kernel; widths and depths are what the memory depends on.
        config = VARIANTS[name].replace(num_classes=_NUM_CLASSES, activation="hard_swish")
        yield name, SegFormer(config), False


def _noise() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8))


def _table(points: Sequence[MicroPoint]) -> Table:
    headers = ("Size", "Parameters", "MACs", "File", "Arena", "Activations", "At least", "Mean IoU", "In INT8")
    table = make_table("Network", *headers)
    for point in points:
        table.add_row(
            point.name,
            "x".join(map(str, point.size)),
            f"{point.parameters:,}",
            f"{point.macs / 1e6:.2f} M",
            f"{point.flash_bytes / 1000:.1f} KB",
            f"{point.arena.total / 1000:.1f} KB",
            f"{point.arena.activations / 1000:.1f} KB",
            f"{point.least_bytes / 1000:.1f} KB",
            _score(point.mean_iou),
            _score(point.file_mean_iou),
        )
    return table


def _table_of_ethos_u(points: Sequence[MicroPoint]) -> Table:
    headers = ("Size", "SRAM", "Flash", "MACs", "Cycles", "On the CPU")
    table = make_table("Network", *headers, text=("On the CPU",), title=points[0].ethos_u.accelerator)
    for point in points:
        report = point.ethos_u
        table.add_row(
            point.name,
            "x".join(map(str, point.size)),
            f"{report.sram_bytes / 1000:.1f} KB",
            f"{report.flash_bytes / 1000:.1f} KB",
            f"{report.macs / 1e6:.2f} M",
            f"{report.cycles / 1e6:.2f} M",
            ", ".join(report.refused) or "nothing",
        )
    return table


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.4f}"
