"""Progress bars of long-running commands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from keras_segformer.progress_console import progress_console


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
    return Progress(*columns, console=progress_console())


@contextlib.contextmanager
def step_bars() -> Iterator[Callable[[str, int], Callable[[], None]]]:
    """Makes progress bars, one below the other, for work that reports its steps; nothing is drawn without reports.

    Yields:
        A function of a description and a number of steps; what it returns is called after every step.

    Example:

    ```python
    with step_bars() as progress:
        convert(model, "b0.tflite", "int8", calibration=images, progress=progress)
    ```
    """
    progress = progress_bar()

    def begin(description: str, steps: int) -> Callable[[], None]:
        progress.start()
        task = progress.add_task(description, total=steps)
        return lambda: progress.advance(task)

    try:
        yield begin
    finally:
        if progress.tasks:
            progress.stop()
