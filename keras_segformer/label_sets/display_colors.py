"""Colours for showing label sets on photographs."""

from __future__ import annotations

import functools
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal, get_args

from keras_segformer.json_text import read_json
from keras_segformer.label_sets import RGB, LabelSet, load_label_set

Palette = Literal["display", "official"]
PALETTES: tuple[str, ...] = get_args(Palette)

_FOLDER = resources.files(__package__) / "display"


def palette_colors(label_set: LabelSet, palette: Palette = "display") -> tuple[RGB, ...]:
    """The colours in which to draw the classes of a label set.

    The official colours of several data sets are made to be told apart by programs: CamVid's are dark, VOC's differ in
    single bits. Laid over a photograph, or seen by colour-blind eyes, many are one. The package has display colours
    for CamVid, Cityscapes and VOC, which keep the hue where they can. Any other label set, such as one of the user's
    own, is drawn in its own colours.

    Args:
        label_set: The classes.
        palette: `"display"`, or `"official"` for the colours of the label set itself, which masks have on disk.

    Returns:
        `(red, green, blue)` on the scale 0..255 for every class.

    Raises:
        ValueError: There is no such palette.

    Example:

    >>> camvid = load_label_set("camvid")
    >>> palette_colors(camvid, "official")[0], palette_colors(camvid)[0] == camvid.palette[0]
    ((128, 128, 128), False)
    """
    if palette not in PALETTES:
        raise ValueError(f"There is no palette {palette!r}; choose one of {', '.join(PALETTES)}.")
    if palette == "official":
        return label_set.palette
    return _display_colors().get((label_set.names, label_set.palette), label_set.palette)


@functools.cache
def _display_colors() -> dict[tuple[tuple[str, ...], tuple[RGB, ...]], tuple[RGB, ...]]:
    """The display colours by the names and official colours of their label set.

    Not by its name, which a data set that was imported under another, or a model that was trained on it, may lack.
    """
    label_sets = {file: load_label_set(file.name.removesuffix(".json")) for file in _FOLDER.iterdir()}
    return {(each.names, each.palette): _read(file) for file, each in label_sets.items()}


def _read(file: Traversable) -> tuple[RGB, ...]:
    return tuple(map(tuple, read_json(file)))
