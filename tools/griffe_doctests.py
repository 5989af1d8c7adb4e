"""Lets the examples in docstrings appear as code: Markdown would read `>>>` as a quotation."""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1\S.*)*", re.M)


class Doctests(griffe.Extension):
    """Puts fences around examples."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Changes the docstring of an object as it is loaded."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Puts a fence around every example.

    Args:
        text: A docstring.

    Returns:
        The same with code blocks.

    Example:

    >>> print(fenced("Adds.\\n\\n>>> 1 + 1\\n2"))
    Adds.
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    return _EXAMPLE.sub(lambda match: f"{match[1]}```pycon\n{match[0]}\n{match[1]}```", text)
