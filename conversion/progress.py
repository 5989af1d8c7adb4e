"""How long work tells of its progress."""

from __future__ import annotations

from collections.abc import Callable

OnStep = Callable[[str, int], Callable[[], None]]
"""Called with a description and a number of steps; what it returns is called after every step."""


def silent(description: str, steps: int) -> Callable[[], None]:
    """Tell nobody.

    Args:
        description: What is done.
        steps: In how many steps.

    Returns:
        A function that does nothing.
    """
    return lambda: None
