"""Names, without an ending, for the files of a model."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def stem(text: str) -> str:
    """Reads a name that a user has chosen.

    Args:
        text: Letters, digits, dots, underscores and hyphens.

    Returns:
        The same.

    Raises:
        argparse.ArgumentTypeError: It holds something else.

    Example:

    >>> stem("b0_ade20k")
    'b0_ade20k'
    """
    if not _STEM.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} cannot name a file; use letters, digits, '.', '_' and '-'")
    return text


def stem_of(preset: str) -> str:
    """Derives a name for files from the name of a preset.

    Args:
        preset: A preset's name, folder or address.

    Returns:
        A name that every file system takes, without an ending.

    Raises:
        ValueError: It has no letter and no digit.

    Example:

    >>> stem_of("hf://someone/b0 of mine@main")
    'b0_of_mine'
    """
    name = preset.split("@")[0].rstrip("/").rsplit("/", 1)[-1] if "://" in preset else Path(preset).resolve().name
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", name).lstrip("._-")
    if not name:
        raise ValueError(f"'{preset}' gives no name for files; choose one with --name")
    return name
