"""`keras-segformer presets`: the catalogue as a table."""

from __future__ import annotations

import argparse
import json
from typing import Any

from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.errors import PresetNotFoundError
from keras_segformer.presets import PRESETS, PresetInfo
from keras_segformer.presets.catalogue import suggest
from keras_segformer.presets.hub_download import HUGGING_FACE, KAGGLE
from keras_segformer.presets.lookup import locate
from keras_segformer.presets.trust import digests_of, forget

_HEADERS = ("Name", "Input", "Classes", "Parameters", "MACs", "Paper", "Licence", "Source")
_TEXT = ("Input", "Classes", "Licence", "Source")


def run(args: argparse.Namespace) -> int:
    """Prints the catalogue or the digests of presets, or forgets digests.

    Args:
        args: What the parser returns.

    Returns:
        0.

    Raises:
        PresetNotFoundError: A preset whose digests are asked for cannot be found or downloaded, or one that is to be
            trusted is not downloaded from anywhere.
        InvalidPresetError: Its files have changed since they were first downloaded.
        OSError: The file of digests cannot be written.
    """
    if args.digests:
        print(json.dumps({preset: _digests(preset) for preset in args.digests}, indent=2))
        return 0
    if args.trust:
        for preset, source in [(preset, _source(preset)) for preset in args.trust]:
            print(f"{preset}: {'forgotten' if forget(source) else 'nothing was remembered'}")
        return 0
    table = make_table(*_HEADERS, text=_TEXT)
    for info in PRESETS.values():
        table.add_row(*_cells(info))
    console = make_console()
    console.print(table)
    console.print("SegFormer.from_preset and --preset take these names. Licences of the weights:", highlight=False)
    for license in dict.fromkeys(info.license for info in PRESETS.values()):
        console.print(f"- {license.terms}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _source(preset: str) -> str:
    """Where a preset is downloaded from."""
    if preset in PRESETS:
        return PRESETS[preset].source
    if preset.startswith((HUGGING_FACE, KAGGLE)):
        return preset
    raise PresetNotFoundError(f"{preset} is neither a preset nor the address of one on a hub. {suggest(preset)}")


def _digests(preset: str) -> dict[str, Any]:
    """What the catalogue may say about a preset: where exactly it lies, and what its files are."""
    location = locate(preset)
    source = location.origin
    if source.startswith(HUGGING_FACE):
        source = f"{source.partition('@')[0]}@{location.path.name}"  # the library names folders by the commit
    return {"source": source, "sha256": digests_of(location.path)}


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
        info.source.partition("@")[0],
    )
