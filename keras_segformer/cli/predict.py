"""`keras-segformer predict`: pictures and videos of segmented photographs and videos."""

from __future__ import annotations

import argparse
import functools
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from keras_segformer.cli import describe_error
from keras_segformer.cli.assumptions import print_assumptions
from keras_segformer.cli.outputs import Outputs, plan_outputs, write_areas, write_mask, write_picture
from keras_segformer.cli.progress import progress_bar
from keras_segformer.cli.result_tables import AreaTable, CocoAnnotations, is_parquet
from keras_segformer.cli.sources import PictureSource, find_sources, is_raster, read_picture
from keras_segformer.errors import InvalidDatasetError, InvalidImageError
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.label_sets import LabelSet
from keras_segformer.segformer import SegFormer
from keras_segformer.visualization import overlay, picture

Segment = Callable[[np.ndarray], np.ndarray]
Model = SegFormer | TFLiteModel


def run(args: argparse.Namespace) -> int:
    """Segments the pictures and videos. If one cannot be read or its results cannot be written, the others are still
    processed.

    Args:
        args: What the parser returns.

    Returns:
        The exit status: 0, or 1 if a picture, a video or a frame of one failed.

    Raises:
        FileNotFoundError: There is no picture or video of a given name.
        InvalidPresetError: The preset's files are broken.
        MissingExtraError: PyAV for videos, or pycocotools for --coco, is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: A result would replace an input, an option does not fit, or the model's logits are not finite.
    """
    _check_options(args)
    found = find_sources(args.images)
    for file in found.left_aside:
        print(f"left aside: {file}", file=sys.stderr)
    if not found.videos:
        _check_no_video_options(args)
    if not found.pictures:
        _check_no_picture_options(args)
    if args.geotiff:
        _check_rasters(found.pictures, args)
    outputs = plan_outputs([*found.pictures, *found.videos], args.output, mask=args.mask, areas=args.json)
    if found.videos:
        import keras_segformer.video.reader  # noqa: F401 - before the model is loaded, which takes long
    model = TFLiteModel(args.model) if args.model else SegFormer.from_preset(args.preset)
    areas = AreaTable() if args.csv else None
    annotations = CocoAnnotations(label_set_of(model), args.polygons) if args.coco else None
    failed = 0
    planned = list(zip(found.pictures, outputs, strict=False))
    rasters = [pair for pair in planned if args.geotiff and is_raster(pair[0])]
    if rasters:
        from keras_segformer.cli.predict_raster import segment_rasters

        failed += segment_rasters(model, *zip(*rasters, strict=True), args, areas)
    pictures = [pair for pair in planned if pair not in rasters]
    if pictures:
        failed += _segment_pictures(model, *zip(*pictures, strict=True), args, areas, annotations)
    if found.videos:
        from keras_segformer.cli.predict_video import segment_videos

        failed += segment_videos(model, found.videos, outputs[len(found.pictures) :], args, areas)
    if areas:
        areas.write(args.csv)
    if annotations:
        annotations.write(args.coco)
    return 1 if failed else 0


def labelling(model: Model, args: argparse.Namespace) -> Segment:
    """Makes the function that segments single pictures.

    Args:
        model: The model.
        args: What the parser returns.

    Returns:
        A function from pixels `(H, W, 3)`, uint8, to labels `(H, W)`.
    """
    if isinstance(model, TFLiteModel):
        return model.segment
    return functools.partial(model.segment, size=args.size, antialias=args.antialias)


def label_set_of(model: Model) -> LabelSet:
    """Returns names and colours of a model's classes, numbered ones where a TF Lite file has none.

    Args:
        model: The model.

    Returns:
        The label set.

    Raises:
        ValueError: Neither names nor a number of classes are known.
    """
    return model.known_label_set if isinstance(model, TFLiteModel) else model.label_set


def check_seen_size(args: argparse.Namespace) -> None:
    """Refuses a size for TF Lite files, which have their own.

    Args:
        args: What the parser returns.

    Raises:
        ValueError: There is one.
    """
    if args.model and (args.size != "aligned" or args.antialias):
        raise ValueError("a TF Lite file sees pictures at the size of its input; leave --size and --antialias out")


def _check_options(args: argparse.Namespace) -> None:
    if args.stop is not None and args.stop <= args.start:
        raise ValueError("--stop must be later than --start")
    if args.polygons and not args.coco:
        raise ValueError("--polygons is for --coco; name its file")
    if args.csv:
        is_parquet(args.csv)  # and whether that can be written, before any work
    check_seen_size(args)


def _check_rasters(pictures: Sequence[PictureSource], args: argparse.Namespace) -> None:
    """Refuses what --geotiff would leave out without a word."""
    if not any(map(is_raster, pictures)):
        raise ValueError("--geotiff reads TIFF files, and there is none; leave it out, or name some")
    ignored = [name for name in ("coco", "json", "mask", "overlay") if getattr(args, name)]
    if ignored:
        raise ValueError(f"--geotiff writes the labels of TIFF files alone; leave out --{ignored[0]}")


def _check_no_video_options(args: argparse.Namespace) -> None:
    """Refuses what only videos heed."""
    given = {
        "--start": args.start > 0,
        "--stop": args.stop is not None,
        "--every": args.every > 1,
        "--beside": args.beside,
        "--steady": args.steady is not None,
    }
    ignored = [flag for flag, is_given in given.items() if is_given]
    if ignored:
        raise ValueError(f"{ignored[0]} is for videos, and there is none; leave it out, or name some")


def _check_no_picture_options(args: argparse.Namespace) -> None:
    """Refuses what only pictures heed."""
    given = {"--coco": args.coco, "--bit-depth": args.bit_depth}
    ignored = [flag for flag, value in given.items() if value]
    if ignored:
        raise ValueError(f"{ignored[0]} is for pictures, and there is none; leave it out, or name some")


def _segment_pictures(
    model: Model,
    sources: Sequence[PictureSource],
    outputs: Sequence[Outputs],
    args: argparse.Namespace,
    areas: AreaTable | None,
    annotations: CocoAnnotations | None,
) -> int:
    """Segments the pictures one by one with a progress bar, and returns the number of failures."""
    start = time.perf_counter()
    failed = 0
    segment, label_set = labelling(model, args), label_set_of(model)
    with progress_bar() as progress:
        task = progress.add_task("Segmenting", total=len(sources))
        for source, outputs_of_source in zip(sources, outputs, strict=True):
            try:
                labels, assumptions = _segment_file(segment, label_set, source, outputs_of_source, args)
                if areas:
                    pixels = np.bincount(labels.ravel(), minlength=label_set.num_classes)
                    areas.add(source, labels.shape, pixels, label_set)
                if annotations:
                    annotations.add(source, labels)
                print_assumptions(source, assumptions, progress.console)
            except (InvalidDatasetError, InvalidImageError, OSError) as error:
                if args.debug:
                    raise
                failed += 1
                progress.console.print(f"error: {describe_error(error)}", markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)
    written, seconds = len(sources) - failed, time.perf_counter() - start
    print(f"{written} {'image' if written == 1 else 'images'} segmented into {args.output} in {seconds:.1f} s")
    if failed:
        print(f"{failed} of {len(sources)} images failed", file=sys.stderr)
    return failed


def _segment_file(
    segment: Segment, label_set: LabelSet, source: PictureSource, outputs: Outputs, args: argparse.Namespace
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Segments one picture and writes the results; returns its labels, and what was assumed about it."""
    image = read_picture(source, args.bit_depth)
    labels = segment(image.pixels)
    draw = overlay if args.overlay else picture
    write_picture(outputs.picture, draw(image.pixels, labels, label_set, args.opacity, args.palette))
    if outputs.mask:
        write_mask(outputs.mask, labels, label_set)
    if outputs.areas:
        write_areas(outputs.areas, labels, label_set, source, str(args.model or args.preset))
    return labels, image.assumptions
