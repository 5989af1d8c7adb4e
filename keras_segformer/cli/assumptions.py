"""Lines that say what was assumed to read a picture."""

from __future__ import annotations

import os
from collections.abc import Iterable

from rich.console import Console


def print_assumptions(
    source: str | os.PathLike[str], assumptions: Iterable[str], console: Console | None = None
) -> None:
    """Prints what was assumed to read a picture, on the standard error.

    Args:
        source: The picture.
        assumptions: Each the predicate of a sentence about it.
        console: The console of a progress bar that is being drawn, if there is one.

    Example:

    ```python
    print_assumptions("scan.png", ["has 16 bits a channel, of which 12 count"])
    ```
    """
    console = console or Console(stderr=True)
    for assumption in assumptions:
        console.print(f"assumed: '{source}' {assumption}", markup=False, highlight=False, soft_wrap=True)
