"""The rasters of `keras-segformer predict --geotiff`."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

from keras_segformer.cli.each_source import work_on_each
from keras_segformer.cli.outputs import Outputs
from keras_segformer.cli.predict import Model, label_set_of
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.result_tables import AreaTable
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.raster.segment import segment_raster


def segment_rasters(
    model: Model,
    sources: Sequence[Path],
    outputs: Sequence[Outputs],
    args: argparse.Namespace,
    areas: AreaTable | None,
) -> int:
    """Segments rasters one by one, writes their label maps, and returns how many failed."""
    label_set, segment = label_set_of(model), model.segment
    if not isinstance(model, TFLiteModel):
        # Each window at its own size: "aligned" would resize it as a whole picture.
        size_seen = "native" if args.size == "aligned" else args.size
        segment = functools.partial(model.segment, size=size_seen, antialias=args.antialias)

    def work(source: Path, outputs_of_source: Outputs) -> bool:
        picture = outputs_of_source.picture
        target = picture.with_name(f"{picture.stem.removesuffix('_segmented')}_mask.tif")
        with step_bars() as progress:
            bar = functools.partial(progress, source.name)
            pixels, size = segment_raster(source, target, segment, label_set, args.bit_depth, progress=bar)
        print(f"{target}: {size[0]}x{size[1]} pixels")
        if areas and pixels.any():
            areas.add(source, size, pixels, label_set)
        return True

    return work_on_each(work, sources, outputs, args)
