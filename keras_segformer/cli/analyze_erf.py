"""`keras-segformer analyze erf`: effective receptive fields."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Mapping

import keras
from rich.table import Table

from keras_segformer.analysis import (
    ReceptiveField,
    cnn_backbone,
    draw_receptive_fields,
    effective_receptive_field,
)
from keras_segformer.analysis.receptive_field import SHARES
from keras_segformer.cli.outputs import write_json
from keras_segformer.cli.progress import progress_bar
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.figures import check_figure_path
from keras_segformer.files import atomic_file
from keras_segformer.images import find_images
from keras_segformer.segformer import SegFormer

_IMAGENET = "imagenet"


def run(args: argparse.Namespace) -> int:
    """Measures the fields and prints their sizes.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        ConnectionError: The weights of the CNN cannot be downloaded.
        FileNotFoundError: There are no such pictures.
        MissingExtraError: matplotlib is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: There is neither a preset nor a CNN.
    """
    if args.figure:
        check_figure_path(args.figure)
    models = _models(args)
    images = find_images(args.images)[: args.count]
    fields = {}
    with progress_bar() as progress:
        for name, model in models.items():
            track = functools.partial(progress.track, total=len(images), description=name)
            fields[name] = effective_receptive_field(model, images, args.size, progress=track)
    if args.json:
        write_json(args.json, _content(args, len(images), fields))
    if args.figure:
        with atomic_file(args.figure) as temporary:
            draw_receptive_fields(fields).savefig(temporary)
    console = make_console(highlight=False)
    for name, parts in fields.items():
        console.print(_table(name, parts))
    height, width = args.size
    console.print(
        f"sides in pixels of the squares that hold a share of the field; {len(images)} pictures, {height}x{width}"
    )
    return 0


def _models(args: argparse.Namespace) -> dict[str, SegFormer]:
    if not (args.preset or args.backbone):
        raise ValueError("there is no model; name one with --preset, or a CNN with --backbone")
    if args.backbone_weights and not args.backbone:
        raise ValueError("--backbone-weights is for the CNN of --backbone; name one, or leave it out")
    models = {name: SegFormer.from_preset(name) for name in args.preset or ()}
    if args.backbone:
        keras.utils.set_random_seed(0)
        weights = None if args.backbone_weights == "random" else _IMAGENET
        models[args.backbone] = SegFormer(*cnn_backbone(args.backbone, weights))
    return models


def _content(args: argparse.Namespace, count: int, fields: Mapping[str, Mapping[str, ReceptiveField]]) -> dict:
    return {
        "images": args.images,
        "count": count,
        "size": list(args.size),
        "backbone_weights": (args.backbone_weights or _IMAGENET) if args.backbone else None,
        "models": {name: {part: field.to_dict() for part, field in parts.items()} for name, parts in fields.items()},
    }


def _table(name: str, parts: Mapping[str, ReceptiveField]) -> Table:
    table = make_table("Part", *(f"{share:.0%}" for share in SHARES), "Support", title=name)
    for part, field in parts.items():
        sides = (str(field.side(share)) for share in SHARES)
        table.add_row(part, *sides, "x".join(map(str, field.support)))
    return table
