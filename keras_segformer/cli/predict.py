"""`keras-segformer predict`: pictures of segmented photographs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from keras_segformer.cli import describe_error
from keras_segformer.cli.outputs import Outputs, plan_outputs, write_areas, write_mask, write_picture
from keras_segformer.cli.progress import progress_bar
from keras_segformer.errors import InvalidImageError
from keras_segformer.images import list_images, read_image
from keras_segformer.segformer import SegFormer
from keras_segformer.visualization import overlay, picture


def run(args: argparse.Namespace) -> int:
    """Segments the images. If an image cannot be read or its results cannot be written, the others are still processed.

    Args:
        args: What the parser returns.

    Returns:
        The exit status: 0, or 1 if an image failed.

    Raises:
        FileNotFoundError: There is no image of a given name.
        InvalidPresetError: The preset's files are broken.
        PresetNotFoundError: There is no such preset.
        ValueError: A result would replace an image, or the model's logits are not finite.
    """
    sources = _find_sources(args.images)
    outputs = plan_outputs(sources, args.output, mask=args.mask, areas=args.json)
    model = SegFormer.from_preset(args.preset)
    start = time.perf_counter()
    failed = _segment_all(model, sources, outputs, args)
    seconds = time.perf_counter() - start
    written = len(sources) - failed
    print(f"{written} {'image' if written == 1 else 'images'} segmented into {args.output} in {seconds:.1f} s")
    if failed:
        print(f"{failed} of {len(sources)} images failed", file=sys.stderr)
    return 1 if failed else 0


def _find_sources(patterns: Sequence[str]) -> list[Path]:
    """The image files without repetitions; other files in the folders are listed on standard error."""
    found = [list_images(pattern) for pattern in patterns]
    files = [file for each in found for file in each.images]
    for name in sorted({path for each in found for path in each.left_aside} - set(files)):
        print(f"left aside: {name}", file=sys.stderr)
    return list({file.resolve(): file for file in reversed(files)}.values())[::-1]


def _segment_all(
    model: SegFormer, sources: Sequence[Path], outputs: Sequence[Outputs], args: argparse.Namespace
) -> int:
    """Segments the images one by one with a progress bar, and returns the number of failures."""
    failed = 0
    with progress_bar() as progress:
        task = progress.add_task("Segmenting", total=len(sources))
        for source, outputs_of_source in zip(sources, outputs, strict=True):
            try:
                for assumption in _segment_file(model, source, outputs_of_source, args):
                    message = f"assumed: '{source}' {assumption}"
                    progress.console.print(message, markup=False, highlight=False, soft_wrap=True)
            except (InvalidImageError, OSError) as error:
                if args.debug:
                    raise
                failed += 1
                progress.console.print(f"error: {describe_error(error)}", markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)
    return failed


def _segment_file(model: SegFormer, source: Path, outputs: Outputs, args: argparse.Namespace) -> tuple[str, ...]:
    """Segments one image and writes the results; returns what was assumed about it."""
    image = read_image(source, args.bit_depth)
    labels = model.segment(image.pixels, size=args.size, antialias=args.antialias)
    draw = overlay if args.overlay else picture
    write_picture(outputs.picture, draw(image.pixels, labels, model.label_set, args.opacity, args.palette))
    if outputs.mask:
        write_mask(outputs.mask, labels, model.label_set)
    if outputs.areas:
        write_areas(outputs.areas, labels, model.label_set, source, args.preset)
    return image.assumptions
