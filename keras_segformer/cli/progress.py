"""The progress bar of commands that take their time."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def progress_bar() -> Progress:
    """Makes a bar with counts and the time left, on the standard error.

    Returns:
        The bar, a context manager.

    Example:

    ```python
    with progress_bar() as progress:
        for image in progress.track(images, description="Segmenting"): ...
    ```
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
