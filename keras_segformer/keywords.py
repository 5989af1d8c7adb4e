"""Refuses unknown keyword arguments, and suggests the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_WEIGHTS = ("weights", "pretrained", "checkpoint", "preset")
"""What other libraries call the weights to begin with."""


class UnknownKeywordError(TypeError, ValueError):
    """A keyword argument that a constructor does not have.

    A `TypeError`, as Python raises for unknown keywords, and a `ValueError`, as every other mistake in a configuration
    is, so that the program reports both in one line.
    """


def check_keywords(owner: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raises for the first keyword that is not known.

    Args:
        owner: What the keywords were given to, for the message.
        given: Names of the keywords.
        known: All names that exist.

    Raises:
        UnknownKeywordError: A name is unknown; the message has the nearest one.

    Example:

    >>> check_keywords("SegFormer", ["num_classes"], ["num_classes", "depths"])
    """
    known = sorted(known)
    for name in given:
        if name not in known and name in _WEIGHTS:
            raise UnknownKeywordError(
                f"{owner} has no argument `{name}`, since its weights are random; take `SegFormer.from_preset`, as in "
                'from_preset("b0_ade20k", num_classes=11).'
            )
        if name not in known:
            (nearest,) = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise UnknownKeywordError(
                f"{owner} has no argument `{name}`; did you mean `{nearest}`? It takes {', '.join(known)}."
            )
