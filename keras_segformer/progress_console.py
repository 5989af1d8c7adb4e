"""Where progress bars are drawn."""

from __future__ import annotations

import importlib.util

from rich.console import Console


def progress_console() -> Console:
    """Makes the console of progress bars: the standard error, or the output of a notebook's cell.

    Returns:
        The console. In notebooks without `ipywidgets`, where rich can draw no bar and warns instead, it is that of a
        file: the finished bar is one line.

    Example:

    >>> progress_console().stderr
    True
    """
    has_widgets = importlib.util.find_spec("ipywidgets") is not None
    return Console(stderr=True, force_jupyter=None if has_widgets else False)
