"""`keras-segformer predict`: pictures of segmented photographs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_segformer.cli.outputs import Outputs, plan_outputs, write_areas, write_mask, write_picture
from keras_segformer.cli.progress import progress_bar
from keras_segformer.errors import InvalidImageError
from keras_segformer.images import find_images, load_image
from keras_segformer.segformer import SegFormer
from keras_segformer.visualization import picture


def run(args: argparse.Namespace) -> int:
    """Segments the images. One that cannot be read or whose results cannot be written is named; the others go on.

    Args:
        args: What the parser returns.

    Returns:
        The exit status: 0, or 1 if an image failed.

    Raises:
        FileNotFoundError: There is no image of a given name.
        NotADirectoryError: The output is a file.
        InvalidPresetError: The preset's files are broken.
        PresetNotFoundError: There is no such preset.
        ValueError: A result would replace an image, or the model's logits are not finite.
    """
    sources = _find_sources(args.images)
    outputs = plan_outputs(sources, args.output, mask=args.mask, areas=args.json)
    if args.output.exists() and not args.output.is_dir():
        raise NotADirectoryError(f"the output '{args.output}' is a file; name a folder")

    model = SegFormer.from_preset(args.preset)
    failed = _segment_all(model, sources, outputs, args)
    if failed:
        print(f"error: {failed} of {len(sources)} images failed", file=sys.stderr)
    return 1 if failed else 0


def _find_sources(patterns: Sequence[str]) -> list[Path]:
    """The image files, every one once."""
    files = [file for pattern in patterns for file in find_images(pattern)]
    return list({file.resolve(): file for file in reversed(files)}.values())[::-1]


def _segment_all(
    model: SegFormer, sources: Sequence[Path], outputs: Sequence[Outputs], args: argparse.Namespace
) -> int:
    """Segments image after image under a progress bar, and returns how many failed."""
    failed = 0
    with progress_bar() as progress:
        task = progress.add_task("Segmenting", total=len(sources))
        for source, outputs_of_source in zip(sources, outputs, strict=True):
            try:
                _segment_file(model, source, outputs_of_source, args)
            except (InvalidImageError, OSError) as error:
                if args.debug:
                    raise
                failed += 1
                progress.console.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)
    return failed


def _segment_file(model: SegFormer, source: Path, outputs: Outputs, args: argparse.Namespace) -> None:
    image = load_image(source)
    labels = model.segment(image, size=args.size)
    write_picture(outputs.picture, picture(image, labels, model.label_set, args.opacity))
    if outputs.mask:
        write_mask(outputs.mask, labels, model.label_set)
    if outputs.areas:
        write_areas(outputs.areas, labels, model.label_set, source, args.preset)
