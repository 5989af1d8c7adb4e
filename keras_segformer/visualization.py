"""Pictures of label maps: colours, overlays, and a legend of the classes present."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_segformer.images import ImageSource, load_image
from keras_segformer.label_sets import LabelSet
from keras_segformer.label_sets.display_colors import Palette, palette_colors

__all__ = ["ClassShare", "class_shares", "color_mask", "legend", "overlay", "picture"]

_BLACK = (0, 0, 0)
_PAPER = (255, 255, 255)
_INK = (30, 30, 30)
_FRAME = (150, 150, 150)

_SHORTEST_ROW, _TALLEST_ROW = 18, 28  # pixels, in pictures up to 500 pixels high
_MIN_PICTURE_HEIGHT = 160
_MAX_COLUMNS = 2
_MAX_NAME_LENGTH = 24


class ClassShare(NamedTuple):
    """How much of a picture one class covers."""

    index: int
    name: str
    share: float


def color_mask(labels: np.ndarray, label_set: LabelSet, palette: Palette = "official") -> np.ndarray:
    """Draws every pixel in the colour of its class.

    Args:
        labels: Class indices `(H, W)`, integer; `label_set.ignore_index` marks pixels without a class.
        label_set: Names and colours of the classes.
        palette: `"official"` for the colours of the label set, as masks have them on disk, or `"display"` for colours
            that are easier to tell apart, where the package has some.

    Returns:
        `(H, W, 3)`, uint8, with ignored pixels black.

    Raises:
        ValueError: `labels` has another shape or dtype, or holds a value that is not a class index.

    Example:

    >>> from keras_segformer import load_label_set
    >>> color_mask(np.array([[0, 255]]), load_label_set("cityscapes")).tolist()
    [[[128, 64, 128], [0, 0, 0]]]
    """
    colors = np.array([*palette_colors(label_set, palette), _BLACK], dtype=np.uint8)
    return np.take(colors, _palette_rows(labels, label_set), axis=0)


def overlay(
    image: ImageSource,
    labels: np.ndarray,
    label_set: LabelSet,
    opacity: float = 0.5,
    palette: Palette = "display",
) -> np.ndarray:
    """Lays the colours of the classes over an image, with thin white borders between them.

    Args:
        image: Anything that `keras_segformer.images.load_image` reads, `H` by `W` pixels.
        labels: Class indices `(H, W)`, integer; where they are `label_set.ignore_index`, the image is left unchanged.
        label_set: Names and colours of the classes.
        opacity: Weight of the colours, from 0 (only the image) to 1 (only the colours).
        palette: `"display"` for colours that are easy to tell apart on a photograph, or `"official"` for those of
            the label set.

    Returns:
        `(H, W, 3)`, uint8.

    Raises:
        InvalidImageError: The image cannot be read.
        ValueError: `labels` does not fit the image or the label set, or `opacity` is out of range.

    Example:

    ```python
    Image.fromarray(overlay("street.jpg", labels, load_label_set("cityscapes"))).save("overlay.png")
    ```
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"`opacity` must be from 0 to 1; got {opacity}")
    photograph = load_image(image)
    labels = np.asarray(labels)
    if labels.shape != photograph.shape[:2]:
        raise ValueError(
            f"`labels` must have the size of the image, {photograph.shape[:2]} (height, width); got {labels.shape}: "
            f"resize them with nearest-neighbour interpolation"
        )
    colors = color_mask(labels, label_set, palette)
    ignored = labels == label_set.ignore_index
    colors[ignored] = photograph[ignored]
    painted = np.array(Image.blend(Image.fromarray(photograph), Image.fromarray(colors), opacity))
    borders = _borders(labels)
    # Strongest at an even mix of photograph and colours; either alone needs no borders and gets none.
    whiteness = 3 * opacity * (1 - opacity)
    painted[borders] = np.rint((1 - whiteness) * painted[borders] + whiteness * 255)
    return painted


def class_shares(labels: np.ndarray, label_set: LabelSet) -> list[ClassShare]:
    """Measures how much of a picture each class covers.

    Args:
        labels: Class indices `(H, W)`, integer.
        label_set: Names of the classes.

    Returns:
        `(index, name, share)` of the classes present, the largest first. A share is a fraction of the pixels that are
        not ignored, so that all shares add up to 1. If all pixels are ignored, the list is empty.

    Raises:
        ValueError: `labels` has another shape or dtype, or holds a value that is not a class index.

    Example:

    >>> from keras_segformer import load_label_set
    >>> class_shares(np.array([[0, 10, 10, 255]]), load_label_set("cityscapes"))[0]
    ClassShare(index=10, name='sky', share=0.6666666666666666)
    """
    rows = _palette_rows(labels, label_set)
    counts = np.bincount(rows.ravel(), minlength=label_set.num_classes)[: label_set.num_classes]
    largest_first = np.argsort(-counts, kind="stable")
    present = largest_first[counts[largest_first] > 0]
    return [ClassShare(int(i), label_set.names[i], float(counts[i] / counts.sum())) for i in present]


def legend(
    labels: np.ndarray, label_set: LabelSet, height: int | None = None, palette: Palette = "display"
) -> np.ndarray:
    """Draws the colour, name and share of every class present, the largest first.

    Text is set in Pillow's built-in font, which covers ASCII.

    Args:
        labels: Class indices `(H, W)`, integer.
        label_set: Names and colours of the classes.
        height: Height in pixels, at least 18, to which rows and text are fitted. Classes that do not fit into two
            columns of legible rows are summed up in a last row. By default, all classes are listed in one column of
            the height that they need.
        palette: As for `overlay`.

    Returns:
        `(height, width, 3)`, uint8, with a width that follows from the names.

    Raises:
        ValueError: `labels` does not fit the label set, or `height` is too small.

    Example:

    ```python
    Image.fromarray(legend(labels, load_label_set("ade20k"))).save("legend.png")
    ```
    """
    entries = _legend_entries(class_shares(labels, label_set), palette_colors(label_set, palette))
    if height is None:
        return _legend_column(entries, _TALLEST_ROW, _TALLEST_ROW * len(entries))
    if height < _SHORTEST_ROW:
        raise ValueError(f"`height` must be at least {_SHORTEST_ROW} pixels to be legible; got {height}")
    # Rows and text grow with large pictures, which will be viewed at a reduced size.
    shortest_row = max(_SHORTEST_ROW, height // 28)
    tallest_row = max(_TALLEST_ROW, height // 18)
    rows_that_fit = height // shortest_row
    columns = min(math.ceil(len(entries) / rows_that_fit), _MAX_COLUMNS)
    entries = _cut_off(entries, columns * rows_that_fit)
    rows = math.ceil(len(entries) / columns)
    row_height = min(tallest_row, height // rows)
    return np.hstack(
        [_legend_column(entries[start : start + rows], row_height, height) for start in range(0, len(entries), rows)]
    )


def picture(
    image: ImageSource,
    labels: np.ndarray,
    label_set: LabelSet,
    opacity: float = 0.5,
    palette: Palette = "display",
) -> np.ndarray:
    """Draws the overlay with its legend on the right.

    Args:
        image: Anything that `keras_segformer.images.load_image` reads, `H` by `W` pixels.
        labels: Class indices `(H, W)`, integer; where they are `label_set.ignore_index`, the image is left unchanged.
        label_set: Names and colours of the classes.
        opacity: Weight of the colours, from 0 (only the image) to 1 (only the colours).
        palette: `"display"` for colours that are easy to tell apart on a photograph, or `"official"` for those of
            the label set.

    Returns:
        `(max(H, 160), W + width of the legend, 3)`, uint8. Images less than 160 pixels high, which leave no room for
        a legend, are padded with white at the bottom.

    Raises:
        InvalidImageError: The image cannot be read.
        ValueError: `labels` does not fit the image or the label set, or `opacity` is out of range.

    Example:

    ```python
    Image.fromarray(picture("street.jpg", labels, load_label_set("cityscapes"))).save("picture.png")
    ```
    """
    left = overlay(image, labels, label_set, opacity, palette)
    missing_rows = max(0, _MIN_PICTURE_HEIGHT - left.shape[0])
    left = np.pad(left, ((0, missing_rows), (0, 0), (0, 0)), constant_values=255)
    return np.hstack([left, legend(labels, label_set, left.shape[0], palette)])


def _palette_rows(labels: np.ndarray, label_set: LabelSet) -> np.ndarray:
    """Checks the labels and returns them with `num_classes` in place of the ignore index, as uint16 `(H, W)`."""
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or labels.size == 0:
        raise ValueError(
            f"`labels` must be integer class indices of shape (height, width); got {labels.dtype} {labels.shape}"
        )
    ignored = labels == label_set.ignore_index
    outside = ~ignored & ((labels < 0) | (labels >= label_set.num_classes))
    if outside.any():
        values = np.unique(labels[outside])
        listed = ", ".join(map(str, values[:10])) + (", …" if len(values) > 10 else "")
        raise ValueError(
            f"`labels` holds {listed}, but label set '{label_set.name}' has the classes 0 to "
            f"{label_set.num_classes - 1} and {label_set.ignore_index} to ignore; use the label set of the model, or "
            f"map raw annotation values with raw_to_train"
        )
    rows = labels.astype(np.uint16)
    rows[ignored] = label_set.num_classes
    return rows


def _borders(labels: np.ndarray) -> np.ndarray:
    """A mask `(H, W)` of the borders between classes, one pixel wide per 500 pixels of the shorter side."""
    width = max(1, round(min(labels.shape) / 500))
    borders = np.zeros(labels.shape, dtype=bool)
    borders[:, width:] |= labels[:, width:] != labels[:, :-width]
    borders[width:] |= labels[width:] != labels[:-width]
    return borders


class _Entry(NamedTuple):
    """A row of a legend."""

    color: tuple[int, int, int] | None
    text: str
    share: float | None


def _legend_entries(shares: list[ClassShare], colors: Sequence[tuple[int, int, int]]) -> list[_Entry]:
    if not shares:
        return [_Entry(None, "no class present", None)]
    return [_Entry(colors[share.index], _shortened(share.name), share.share) for share in shares]


def _cut_off(entries: list[_Entry], count: int) -> list[_Entry]:
    """At most `count` entries; the last one sums up those that are left out."""
    if len(entries) <= count:
        return entries
    shown, rest = entries[: count - 1], entries[count - 1 :]
    return [*shown, _Entry(None, f"and {len(rest)} more", sum(entry.share for entry in rest))]


def _shortened(name: str) -> str:
    return name if len(name) <= _MAX_NAME_LENGTH else f"{name[: _MAX_NAME_LENGTH - 1]}…"


def _percentage(share: float | None) -> str:
    if share is None:
        return ""
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"


def _legend_column(entries: list[_Entry], row_height: int, height: int) -> np.ndarray:
    """A white column of the given height with rows, from its top, of a colour patch, a name and a percentage."""
    font = ImageFont.load_default(size=0.58 * row_height)
    space, patch = row_height // 2, round(0.64 * row_height)
    text_left = 2 * space + patch
    text_right = text_left + max(font.getlength(entry.text) for entry in entries)
    width = math.ceil(text_right + space + max(font.getlength(_percentage(entry.share)) for entry in entries) + space)
    column = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(column)
    for row, entry in enumerate(entries):
        middle = (row + 0.5) * row_height
        if entry.color is not None:
            box = (space, middle - patch / 2, space + patch, middle + patch / 2)
            draw.rectangle(box, fill=entry.color, outline=_FRAME)
        draw.text((text_left, middle), entry.text, fill=_INK, font=font, anchor="lm")
        draw.text((width - space, middle), _percentage(entry.share), fill=_INK, font=font, anchor="rm")
    return np.array(column)


def __dir__() -> list[str]:
    return list(__all__)
