"""Tiny exports of labelling tools, and what an import makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_segformer.data.importers import ImportOptions, ImportReport, import_labels


def write_picture(path: Path, size: tuple[int, int] = (6, 8), **options: Any) -> None:
    """A picture of height and width, in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, **options)


def write_array(path: Path, values: Any, palette: list[tuple[int, int, int]] | None = None) -> None:
    """An array of bytes as an image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(values, np.uint8))
    if palette:
        image.putpalette([part for color in palette for part in color])
    image.save(path)


def write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    """A text file with the line ends that the text has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def write_json(path: Path, content: Any, encoding: str = "utf-8") -> None:
    """A JSON file."""
    write_text(path, json.dumps(content, ensure_ascii=False), encoding)


class Imported:
    """An import: its report, and its masks by path below the output, as arrays of class names.

    Args:
        source: The export.
        output: Where it goes.
        format: The format, if it is not to be found.
        options: Arguments of `ImportOptions`.
    """

    def __init__(self, source: Path, output: Path, format: str | None = None, **options: Any) -> None:
        self.report: ImportReport = import_labels(source, output, format, ImportOptions(**options))
        self.names = list(self.report.label_set.names)
        self.masks = {
            mask.relative_to(output).as_posix(): np.asarray(Image.open(mask))
            for mask in sorted(output.rglob("masks/**/*.png"))
        }

    def count(self, path: str) -> dict[str, int]:
        """The pixels of a mask by class name; 255 under `ignored`."""
        values, counts = np.unique(self.masks[path], return_counts=True)
        return {
            "ignored" if value == 255 else self.names[value]: int(count)
            for value, count in zip(values, counts, strict=True)
        }

    def where(self, path: str, name: str) -> np.ndarray:
        """Where a mask has a class, `(H, W)`, bool."""
        return self.masks[path] == self.names.index(name)
