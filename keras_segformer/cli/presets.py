"""`keras-segformer presets`: the catalogue as a table."""

from __future__ import annotations

import argparse

from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.presets import PRESETS, PresetInfo

_HEADERS = ("Name", "Input", "Classes", "Parameters", "MACs", "Paper", "Licence", "Source")
_TEXT = ("Input", "Classes", "Licence", "Source")


def run(args: argparse.Namespace) -> int:
    """Print the catalogue.

    Args:
        args: Nothing of its own.

    Returns:
        0.
    """
    table = make_table(*_HEADERS, text=_TEXT)
    for info in PRESETS.values():
        table.add_row(*_cells(info))
    console = make_console()
    console.print(table)
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
