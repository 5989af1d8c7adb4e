"""Tables on the standard output, for people at a terminal and for programs behind a pipe."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

# Wider than any table, since rich cannot be told to use as much width as it needs.
_UNLIMITED = 10_000


def make_console(**options: Any) -> Console:
    """Makes a console for the standard output.

    Args:
        **options: As for `rich.console.Console`.

    Returns:
        The console; as wide as the terminal, or, where the output is not a terminal, as wide as what is printed.

    Example:

    ```python
    make_console().print(make_table("Class", "IoU"))
    ```
    """
    console = Console(**options)
    if not console.is_terminal:
        console.width = _UNLIMITED
    return console


def make_table(*headers: str, text: Collection[str] = (), title: str | None = None) -> Table:
    """Makes an empty table, whose cells are wrapped but never cut.

    Args:
        *headers: The headers of the columns.
        text: Which of them, besides the first, are above text; the others are above numbers, which are set right.
        title: What stands above the table.

    Returns:
        The table.

    Example:

    >>> [column.justify for column in make_table("Class", "IoU").columns]
    ['left', 'right']
    """
    table = _TitledTable(title)
    for header in headers:
        is_text = header in text or not table.columns
        table.add_column(header, justify="left" if is_text else "right", overflow="fold")
    return table


class _TitledTable(Table):
    """A table whose title is as wide as the terminal: rich would break it where the columns end.

    Args:
        heading: The title, if there is one.
    """

    def __init__(self, heading: str | None) -> None:
        super().__init__(box=box.SIMPLE_HEAD)
        self._heading = heading

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._heading:
            yield Text(self._heading, style="table.title", overflow="fold")
        yield from super().__rich_console__(console, options)
