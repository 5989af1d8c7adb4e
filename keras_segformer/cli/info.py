"""`keras-segformer info`: parameters and arithmetic of an architecture or a preset."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from rich.table import Table

from keras_segformer.analysis.complexity import (
    PAPER_NUM_CLASSES,
    PAPER_PARAMETERS_M,
    Complexity,
    Cost,
    count_complexity,
    paper_macs,
)
from keras_segformer.analysis.paper_ablations import ablation_costs
from keras_segformer.cli.tables import make_console, make_table
from keras_segformer.licenses import License
from keras_segformer.models import VARIANTS, SegFormerConfig
from keras_segformer.presets import PRESETS
from keras_segformer.segformer import SegFormer

_REMARKS = {
    "1a": "The paper's table 2 prints 1447.6 G for B5 on Cityscapes, and this one 1460.4 G, as the network has.",
    "1b": "The paper prints 27.5 M parameters for B2 here and 27.7 M in table 1d; the network has 27.46 M.",
    "1d": "The paper prints 27.7 M parameters for B2 here and 27.5 M in table 1b; the network has 27.46 M.",
}
"""Where the paper contradicts itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Subject:
    """What the command is asked about."""

    title: str
    config: SegFormerConfig
    license: License | None = None


def run(args: argparse.Namespace) -> int:
    """Prints the tables.

    Args:
        args: `subject`, a name or folder, or `table`, one of the paper's; and `size`, `(height, width)` or `None`.

    Returns:
        0.

    Raises:
        PresetNotFoundError: There is no such architecture, preset or folder.
        InvalidPresetError: The folder's files are broken.
        ValueError: The model has a backbone of its own, the image is smaller than 32x32 pixels, or a size is given
            for a table.
    """
    if args.table:
        if args.size:
            raise ValueError("The paper's ablations have sizes of their own; leave out --size.")
        console = make_console()
        console.print(_ablation_table(args.table))
        console.print(_REMARKS[args.table], highlight=False)
        return 0
    subject = _find_subject(args.subject)
    size = args.size or subject.config.input_size
    complexity = count_complexity(subject.config, size)
    console = make_console()
    title = f"{subject.title}, {subject.config.num_classes} classes, images of {size[0]}x{size[1]}"
    console.print(title, markup=False, highlight=False)
    console.print(_module_table(complexity))
    console.print(_paper_table(subject.config, size))
    console.print(_summary(complexity), highlight=False)
    if subject.license:
        console.print(f"Licence of the weights: {subject.license.terms}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _find_subject(name: str) -> _Subject:
    if name in VARIANTS:
        return _Subject(title=f"Architecture {name}", config=VARIANTS[name])
    if name in PRESETS:
        info = PRESETS[name]
        config = VARIANTS[info.variant].replace(input_size=info.input_size)
        if info.task == "classification":
            return _Subject(title=f"{info.title}, with a decoder", config=config, license=info.license)
        return _Subject(title=info.title, config=config.replace(num_classes=info.num_classes), license=info.license)
    model = SegFormer.from_preset(name)
    return _Subject(title=name, config=model.config, license=model.license)


def _module_table(complexity: Complexity) -> Table:
    table = make_table("Module", "Parameters", "MACs, paper's form", "MACs, ours")
    parts = [(f"stage {number}", stage) for number, stage in enumerate(complexity.stages, start=1)]
    for part, modules in [*parts, ("decoder", complexity.decoder)]:
        for module, cost in modules.items():
            table.add_row(f"{part}: {module}", *_cost_cells(cost))
        table.add_section()
    table.add_row("encoder", *_cost_cells(complexity.encoder_total))
    table.add_row("decoder", *_cost_cells(complexity.decoder_total))
    table.add_row("total", *_cost_cells(complexity.total), style="bold")
    return table


def _paper_table(config: SegFormerConfig, size: tuple[int, int]) -> Table:
    complexity = count_complexity(config.replace(num_classes=PAPER_NUM_CLASSES), size)
    variant = _variant_of(config)
    encoder, decoder = PAPER_PARAMETERS_M.get(variant, (None, None))
    macs = _paper_macs_by_size(variant).get(size)
    table = make_table(f"With {PAPER_NUM_CLASSES} classes", "Here", "Paper")
    table.add_row("encoder parameters", _millions(complexity.encoder_total.parameters), _printed(encoder, "M"))
    table.add_row("decoder parameters", _millions(complexity.decoder_total.parameters), _printed(decoder, "M"))
    table.add_row("MACs, counted as the paper does", _billions(paper_macs(config, size)), _printed(macs, "G"))
    return table


def _ablation_table(name: str) -> Table:
    titles = {
        "1a": "model sizes",
        "1b": "decoders on MiT-B2 at 512x512",
        "1d": "encoders under the MLP decoder at 512x512",
    }
    title = f"Table {name}: {titles[name]}, {PAPER_NUM_CLASSES} classes"
    table = make_table("", "Parameters", "Paper", "MACs", "Paper", "Paper's mIoU", title=title)
    for row in ablation_costs(name):
        parameters = (_millions(row.parameters), _printed(row.paper_parameters_m, "M"))
        table.add_row(
            row.name, *parameters, _billions(row.macs), _printed(row.paper_macs_g, "G"), f"{row.paper_miou} %"
        )
    return table


def _summary(complexity: Complexity) -> str:
    total = complexity.total
    return (
        f"Ours takes {total.macs / total.plain_macs:.2f} of the multiply-accumulates of the paper's form for the same "
        "function: the decoder's two linear maps are multiplied into one first "
        f"({_billions(complexity.kernel_product_macs)} once per call, none in converted files)."
    )


def _variant_of(config: SegFormerConfig) -> str | None:
    """The named architecture of the same widths and depths."""

    def shape(config: SegFormerConfig) -> tuple[Any, ...]:
        encoder = config.encoder
        return encoder.embed_dims, encoder.depths, encoder.mlp_ratios, config.decoder_width

    return next((name for name, variant in VARIANTS.items() if shape(variant) == shape(config)), None)


def _paper_macs_by_size(variant: str | None) -> dict[tuple[int, int], float]:
    papers = [info.paper for info in PRESETS.values() if info.variant == variant]
    return {paper.macs_input_size: paper.macs_g for paper in papers if paper.macs_input_size}


def _cost_cells(cost: Cost) -> tuple[str, str, str]:
    return f"{cost.parameters:,}", _billions(cost.plain_macs), _billions(cost.macs)


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f} M"


def _billions(count: int) -> str:
    return f"{count / 1e9:.2f} G"


def _printed(number: float | None, unit: str) -> str:
    return "–" if number is None else f"{number} {unit}"
