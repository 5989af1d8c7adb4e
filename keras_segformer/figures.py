"""Figures with matplotlib, which is an extra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_segformer.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(**options: Any) -> Figure:
    """Makes an empty figure, without pyplot, which would keep it in global state.

    Args:
        **options: As for `matplotlib.figure.Figure`.

    Returns:
        The figure.

    Raises:
        MissingExtraError: matplotlib is not installed.

    Example:

    >>> len(new_figure(figsize=(4, 3)).axes)
    0
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "figures") from error
    return Figure(**options)


def check_figure_path(path: Path) -> None:
    """Checks that a figure can be written, before hours are spent on what it shows.

    Args:
        path: The file to write.

    Raises:
        IsADirectoryError: It is a folder.
        MissingExtraError: matplotlib is not installed.
        ValueError: matplotlib does not write files of that ending.

    Example:

    >>> check_figure_path(Path("evaluation.png"))
    """
    endings = new_figure().canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in endings:
        raise ValueError(f"'{path}' is not a figure; let its name end in .png, .pdf or .svg")
    if path.is_dir():
        raise IsADirectoryError(f"the figure '{path}' is a folder; name a file")
