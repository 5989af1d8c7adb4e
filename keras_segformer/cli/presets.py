"""`keras-segformer presets`: the catalogue as a table."""

from __future__ import annotations

import argparse
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from keras_segformer.presets import PRESETS, PresetInfo

_HEADERS = ("Name", "Input", "Classes", "Parameters", "MACs", "Paper", "Licence", "Source")


def add_parser(subparsers: Any) -> None:
    """Add the command to the program's parser.

    Args:
        subparsers: What `argparse.ArgumentParser.add_subparsers` returned.
    """
    subparsers.add_parser(
        "presets",
        help="list the presets that have a name",
        description="Lists the catalogue. MACs and scores are the paper's: mIoU at a single scale, or top-1 accuracy.",
    )


def run(args: argparse.Namespace) -> int:
    """Print the catalogue.

    Args:
        args: Nothing of its own.

    Returns:
        0.
    """
    table = Table(*_HEADERS, box=box.SIMPLE)
    for info in PRESETS.values():
        table.add_row(*_cells(info))
    console = Console()
    # A pipe gets whole rows: a table cut at 80 columns is of no use to another program.
    console.print(table, width=None if console.is_terminal else 200)
    console.print("SegFormer.from_preset and --preset take these names. Licences of the weights:", highlight=False)
    for license in dict.fromkeys(info.license for info in PRESETS.values()):
        console.print(f"- {license.terms}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _cells(info: PresetInfo) -> tuple[str, ...]:
    paper = info.paper
    score = paper.miou_single_scale or paper.top1
    return (
        info.name,
        "x".join(map(str, info.input_size)),
        f"{info.num_classes} {info.label_set or 'ImageNet'}",
        f"{info.parameters / 1e6:.1f} M",
        f"{paper.macs_g} G" if paper.macs_g else "–",
        f"{score} {'mIoU' if paper.miou_single_scale else 'top-1'}" if score else "–",
        "non-commercial" if info.license.non_commercial else info.license.name,
        info.source,
    )
