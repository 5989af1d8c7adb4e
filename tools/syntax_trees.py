"""Syntax trees of the project's own sources."""

from __future__ import annotations

import ast

_ATTEMPTS = 20


def parse(code: str) -> ast.Module:
    """Parses Python, on Pythons too whose threads disturb one another while they do.

    Before 3.11.9 and 3.12.2 one counter measures how deep all threads are in their trees, and a thread that finds it
    changed gives up, though nothing is wrong (https://github.com/python/cpython/issues/106905). Whatever else runs in
    the process can be such a thread: a data set that is traced, or an error that is printed.

    Args:
        code: A whole module.

    Returns:
        Its tree.

    Raises:
        SyntaxError: It is not Python.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return ast.parse(code)
        except SystemError:
            continue
    return ast.parse(code)
