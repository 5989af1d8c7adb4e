"""`keras-segformer analyze`: the paper's analyses for any model."""

from __future__ import annotations

import argparse
import importlib


def run(args: argparse.Namespace) -> int:
    """Carries out the action, whose module is imported for it alone.

    Args:
        args: What the parser returns.

    Returns:
        The exit status.

    Raises:
        FileNotFoundError: There are no such pictures or data.
        InvalidDatasetError: The data set is broken, or has no such split.
        InvalidPresetError: The preset's files are broken.
        MissingExtraError: A package that the action needs is not installed.
        PresetNotFoundError: There is no such preset.
        ValueError: Arguments do not fit each other.
    """
    return importlib.import_module(f"keras_segformer.cli.analyze_{args.action}").run(args)
