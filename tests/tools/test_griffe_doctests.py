"""Examples in docstrings appear as code."""

from __future__ import annotations

import pytest

pytest.importorskip("griffe")

from griffe_doctests import fenced


def test_examples_get_fences():
    text = "Adds.\n\n    Example:\n\n    >>> 1 + 1\n    2\n    >>> 2 + 2\n    4\n\n    More."
    assert fenced(text) == (
        "Adds.\n\n    Example:\n\n    ```pycon\n    >>> 1 + 1\n    2\n    >>> 2 + 2\n    4\n    ```\n\n    More."
    )


def test_two_examples_get_two_fences():
    assert fenced(">>> a\n\n>>> b").count("```pycon") == 2


def test_other_text_stays():
    assert fenced("a >> b\n\n> quoted") == "a >> b\n\n> quoted"
