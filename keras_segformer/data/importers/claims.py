"""Decides which label a picture belongs to where several labels have found it."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

from keras_segformer.data.importers.labels import Picture
from keras_segformer.data.importers.splits import is_in_other_split
from keras_segformer.data.importers.tree import shared_end, without_suffix


def settle_claims(pictures: list[Picture]) -> tuple[list[Picture], list[str]]:
    """Takes pictures away from labels of other ones, which found them by a file name that both have.

    Frames such as `0001.jpg` repeat in every folder. Where the picture of a label is missing, that of another folder
    may have been found for it.

    Args:
        pictures: The pictures of an export.

    Returns:
        The pictures in their order, without an image where it belongs to another label; and notes, also of pictures
        that keep several labels.

    Example:

    ```python
    settle_claims([camera_a, camera_b])  # both found camera_a/0001.jpg: only the first keeps it
    ```
    """
    claims: dict[tuple[int, str], list[int]] = defaultdict(list)
    for position, picture in enumerate(pictures):
        if picture.image:
            claims[id(picture.image.tree), picture.image.path].append(position)
    settled, notes = list(pictures), []
    for (_, path), positions in claims.items():
        fits = [_fit(pictures[position], path) for position in positions]
        best = max(fits)
        named = {_name(pictures[position]) for position, fit in zip(positions, fits, strict=True) if fit == best}
        is_clear = len(named) == 1 or not best[1]
        for position, fit in zip(positions, fits, strict=True):
            # A name that has nothing in common with the picture's does not say that it is another one.
            if fit[0] < best[0] or (fit[1] and (fit < best or not is_clear)):
                settled[position] = dataclasses.replace(pictures[position], image=None)
        if not is_clear:
            listed = ", ".join(pictures[position].source for position in positions)
            notes.append(
                f"{path} has the file name of several labels and is given to none of them: {listed}; put it into the "
                "folder that its label names."
            )
        kept = [pictures[position].source for position in positions if settled[position].image]
        if len(kept) > 1:
            notes.append(
                f"{path} has several labels, and each is written with a copy of it: {', '.join(kept)}; keep one of "
                "them, or join them in one, unless that is meant."
            )
    return settled, notes


def _name(picture: Picture) -> str:
    return picture.image_name or picture.name


def _fit(picture: Picture, path: str) -> tuple[bool, int]:
    """Whether a path may be in the picture's split, and how many of its last parts are those of the name."""
    own = [part.casefold() for part in f"{picture.subset}/{_name(picture)}".split("/") if part]
    found = without_suffix(path).casefold().split("/")
    return not is_in_other_split(path, picture.subset), shared_end(own, found)
