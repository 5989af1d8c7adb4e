"""Recognises the splits of exports, train, val and test, in their various spellings."""

from __future__ import annotations

import re

SPLITS = ("train", "val", "test")
"""The splits of an imported data set."""

_SPELLINGS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}  # fmt: skip


def split_of(subset: str) -> str | None:
    """Finds the split that the name of a subset stands for; `None` if there is none.

    Args:
        subset: Its name in the tool.

    Example:

    >>> split_of("Validation"), split_of("train2017"), split_of("site A")
    ('val', 'train', None)
    """
    return _SPELLINGS.get(re.sub(r"[\s_-]*\d*$", "", subset.casefold().strip()))


def is_in_other_split(path: str, subset: str) -> bool:
    """Returns True if a path lies in the folder of a split other than a subset.

    Args:
        path: The path of a file.
        subset: The subset; if it is not a split, the result is False.

    Example:

    >>> is_in_other_split("valid/a.jpg", "train"), is_in_other_split("images/a.jpg", "train")
    (True, False)
    """
    split = split_of(subset)
    return split is not None and bool({split_of(part) for part in path.split("/")[:-1]} - {None, split})


def split_in(name: str) -> str | None:
    """Finds the split that a word in a name stands for; `None` if there is none, or several.

    Args:
        name: A file name or folder.

    Example:

    >>> split_in("instances_val2017"), split_in("trainval")
    ('val', None)
    """
    found = {split_of(word) for word in re.split(r"[^0-9A-Za-z]+", name)} - {None}
    return found.pop() if len(found) == 1 else None
