"""`keras-segformer label`: label maps of any number of pictures."""

from __future__ import annotations

import argparse
import shlex
import sys

from keras_segformer.cli.assumptions import print_assumptions
from keras_segformer.cli.predict import check_seen_size
from keras_segformer.scale.label import label_pictures
from keras_segformer.scale.models import ModelChoice

_MAX_LINES = 20


def run(args: argparse.Namespace) -> int:
    """Labels the pictures.

    Args:
        args: What the parser returns.

    Returns:
        The exit status: 0, or 1 if a picture has no labels.

    Raises:
        FileNotFoundError: There is no picture at one of the patterns.
        InvalidPresetError: The preset's files are broken.
        MissingExtraError: Apache Beam or Ray is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: An option does not fit, or the runner has given up.
    """
    check_seen_size(args)
    model = ModelChoice(args.preset, str(args.model.absolute()) if args.model else None, args.size, args.antialias)
    try:
        report = label_pictures(
            args.input, args.output, model, args.runner, args.workers, shlex.split(args.options or ""), args.bit_depth
        )
    except RuntimeError as error:
        raise ValueError(str(error)) from error
    done = report.pictures - report.before
    print(
        f"{done} pictures done in {report.seconds:.1f} s, {report.before} were done before; {args.output} has "
        f"{report.labelled} label maps"
    )
    for path, assumption in report.assumed[:_MAX_LINES]:
        print_assumptions(path, [assumption])
    if len(report.assumed) > _MAX_LINES:
        left = len(report.assumed) - _MAX_LINES
        print(f"and of {left} further pictures; the column `assumed` of index.parquet has all", file=sys.stderr)
    if report.failed:
        print(f"{report.failed} pictures have no labels; failed.parquet in {args.output} says why", file=sys.stderr)
    return 1 if report.failed else 0
