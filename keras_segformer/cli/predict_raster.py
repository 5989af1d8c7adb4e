"""The rasters of `keras-segformer predict --geotiff`."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_segformer.cli import describe_error
from keras_segformer.cli.outputs import Outputs
from keras_segformer.cli.predict import Model, label_set_of
from keras_segformer.cli.progress import step_bars
from keras_segformer.cli.result_tables import AreaTable
from keras_segformer.errors import InvalidImageError
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.raster.segment import segment_raster


def segment_rasters(
    model: Model,
    sources: Sequence[Path],
    outputs: Sequence[Outputs],
    args: argparse.Namespace,
    areas: AreaTable | None,
) -> int:
    """Segments rasters one by one.

    Args:
        model: The model.
        sources: The files.
        outputs: The files to write for each, of which the label map is written.
        args: What the parser returns.
        areas: The table of all areas, if one is wanted.

    Returns:
        How many failed.

    Raises:
        MissingExtraError: rasterio is not installed.
        ValueError: The model's logits are not finite.
    """
    label_set, failed = label_set_of(model), 0
    segment = model.segment
    if not isinstance(model, TFLiteModel):
        # Each window at its own size: "aligned" would resize it as a whole picture.
        size = "native" if args.size == "aligned" else args.size
        segment = functools.partial(model.segment, size=size, antialias=args.antialias)
    for source, outputs_of_source in zip(sources, outputs, strict=True):
        picture = outputs_of_source.picture
        target = picture.with_name(f"{picture.stem.removesuffix('_segmented')}_mask.tif")
        try:
            with step_bars() as progress:
                bar = functools.partial(progress, source.name)
                pixels, size = segment_raster(source, target, segment, label_set, args.bit_depth, progress=bar)
        except (InvalidImageError, OSError) as error:
            if args.debug:
                raise
            failed += 1
            print(f"error: {describe_error(error)}", file=sys.stderr)
            continue
        print(f"{target}: {size[0]}x{size[1]} pixels")
        if areas and pixels.any():
            areas.add(source, size, pixels, label_set)
    return failed
