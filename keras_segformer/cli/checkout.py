"""The checkout of keras-segformer, for commands that need parts of it that are not installed."""

from __future__ import annotations

from pathlib import Path

import keras_segformer


def find_checkout(part: str) -> Path | None:
    """Finds the source around the working folder, or around the installed package.

    Args:
        part: A file or folder in it, by which it is known.

    Returns:
        Its folder, or `None` if there is none.

    Example:

    >>> find_checkout("no/such/part") is None
    True
    """
    here = Path.cwd()
    candidates = [here, *here.parents, Path(keras_segformer.__file__).resolve().parents[1]]
    return next((each for each in candidates if (each / part).exists()), None)
