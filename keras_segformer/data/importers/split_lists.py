"""Reads lists of the pictures of every split, such as `train.txt`, beside folders without splits."""

from __future__ import annotations

from collections.abc import Collection

from keras_segformer.data.importers.labels import ExportFile
from keras_segformer.data.importers.splits import split_in
from keras_segformer.data.importers.tree import Tree, stem, without_suffix
from keras_segformer.errors import InvalidDatasetError

Pairs = list[tuple[str, str, ExportFile, ExportFile | None]]
"""Name, subset, mask, and the picture where there is one."""


def in_listed_splits(tree: Tree, pairs: Pairs) -> tuple[Pairs, list[str]]:
    """Puts pictures into the splits whose text files list them.

    Args:
        tree: The files of the export.
        pairs: Pictures and masks without subsets.

    Returns:
        The pairs with their subsets, and notes. Pictures in no list are of the split train where that has none, and
        left out elsewhere. Without lists, the pairs as they were.

    Example:

    ```python
    in_listed_splits(Tree("export"), pairs)  # with train.txt and val.txt, a name or path a line
    ```
    """
    names = {name for name, *_ in pairs}
    lists: dict[str, set[str]] = {}
    notes = []
    for path in tree.ending(".txt"):
        split = split_in(stem(path))
        listed = _names(tree, path, names) if split else set()
        if split and listed:
            lists.setdefault(split, set()).update(listed)
            notes.append(f"{path} lists {len(listed)} pictures of the split {split}.")
    if not lists:
        return pairs, []
    shared = sorted(name for name in names if sum(name in each for each in lists.values()) > 1)
    if shared:
        notes.append(f"These are in several of the lists, and become part of each: {', '.join(shared)}.")
    rest = names.difference(*lists.values())
    if rest and "train" not in lists:
        lists["train"] = rest
        notes.append(f"The {len(rest)} pictures in no list are the split train.")
    elif rest:
        notes.append(f"Pictures in no list are left out: {', '.join(sorted(rest))}.")
    return [(name, split, *files) for name, _, *files in pairs for split, each in lists.items() if name in each], notes


def _names(tree: Tree, path: str, names: Collection[str]) -> set[str]:
    """The names that the lines of a file begin with; none where it is another kind of file."""
    try:
        found = [_name(line, names) for line in tree.lines(path)]
    except InvalidDatasetError:  # not a text
        return set()
    known = {name for name in found if name}
    # Lists may name some pictures that were removed, but prose names hardly any.
    return known if 2 * sum(map(bool, found)) > len(found) else set()


def _name(line: str, names: Collection[str]) -> str:
    """The name of a line: alone or as a path, with or without suffix, or before other columns."""
    for text in (line, line.split()[0].rstrip(",;"), line.partition(",")[0]):
        parts = without_suffix(text.strip("\"'").replace("\\", "/")).split("/")
        for start in range(len(parts)):
            if "/".join(parts[start:]) in names:
                return "/".join(parts[start:])
    return ""
