"""The rasters of `keras-segformer predict --geotiff`."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_segformer.cli.assumptions import print_assumptions
from keras_segformer.cli.each_source import work_on_each
from keras_segformer.cli.outputs import Outputs
from keras_segformer.cli.predict import Model, label_set_of
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.result_tables import AreaTable
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.raster.segment import segment_raster
from keras_segformer.raster.windows import SIDES


def segment_rasters(
    model: Model,
    sources: Sequence[Path],
    outputs: Sequence[Outputs],
    args: argparse.Namespace,
    areas: AreaTable | None,
) -> int:
    """Segments rasters one by one, writes their label maps, and returns how many failed."""
    label_set = label_set_of(model)
    if isinstance(model, TFLiteModel):
        segment, sides = functools.partial(_segment_at_scale, model), model.input_size
    else:
        # Each window at its own size: "aligned" would resize it as a whole picture.
        size_seen = "native" if args.size == "aligned" else args.size
        segment, sides = functools.partial(model.segment, size=size_seen, antialias=args.antialias), SIDES

    def work(source: Path, outputs_of_source: Outputs) -> bool:
        picture = outputs_of_source.picture
        target = picture.with_name(f"{picture.stem.removesuffix('_segmented')}_mask.tif")
        with step_bars() as progress:
            bar = functools.partial(progress, source.name)
            found = segment_raster(source, target, segment, label_set, args.bit_depth, sides, bar)
        print(f"{target}: {found.size[0]}x{found.size[1]} pixels")
        print_assumptions(source, found.assumptions)
        if areas and found.pixels.any():
            areas.add(source, found.size, found.pixels, label_set)
        return True

    return work_on_each(work, sources, outputs, args)


def _segment_at_scale(model: TFLiteModel, window: np.ndarray) -> np.ndarray:
    """The labels of a window that is no larger than the file's input, mirrored at its edges up to that size."""
    height, width = window.shape[:2]
    missing = [(0, side - length) for side, length in zip(model.input_size, (height, width), strict=True)]
    return model.segment(np.pad(window, (*missing, (0, 0)), mode="symmetric"))[:height, :width]
