"""Progress updates of long-running work."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int], Callable[[], None]]
"""Called at the start of each task with its description and number of steps. It returns a function to be called after
each step."""


def silent(description: str, steps: int) -> Callable[[], None]:
    """Ignore progress updates; the default where progress can be followed.

    Args:
        description: What is done.
        steps: The number of steps.

    Returns:
        A function that does nothing.
    """
    return lambda: None
