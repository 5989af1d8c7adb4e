"""The report of an import: the rules it followed, what it counted, and what it left out."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np

from keras_segformer.data.importers.labels import IGNORED
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_rules import IGNORE


def sentence_about(file: str, error: str) -> str:
    """What is wrong with a file, as a sentence.

    Args:
        file: Its path.
        error: The predicate of that sentence, or a whole one that names the file already and ends in a full stop.

    Example:

    >>> sentence_about("a.png", "is empty"), sentence_about("a.png", "a.png is empty.")
    ('a.png is empty.', 'a.png is empty.')
    """
    return error if error.endswith(".") else f"{file} {error}."


@dataclasses.dataclass
class SplitCounts:
    """Counts of the masks of a split.

    Args:
        masks: Number of masks.
        pixels: Pixels by class index, `(256,)`, int64; index 255 counts ignored pixels.
        images: Number of masks in which each class index occurs, `(256,)`, int64.
        covered: Pixels by class index that lie under other classes, `(256,)`, int64.
        overlap: Pixels in regions of several classes.
    """

    masks: int = 0
    pixels: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(256, np.int64))
    images: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(256, np.int64))
    covered: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(256, np.int64))
    overlap: int = 0


@dataclasses.dataclass
class ImportReport:
    """The report of an import.

    Args:
        format: Name of the format.
        title: What its tool calls it.
        output: The folder that was written.
        label_set: The classes.
        splits: What was counted, by split.
        rules: The rules that were followed, as sentences.
        notes: What was assumed or left aside, as sentences.
        ignored_labels: Labels of the export whose pixels are ignored.
        unknown: Pixels of values, colours and labels that no class has; `""` is a region without label.
        unknown_files: The labels that they are in.
        ignored: Pixels of labels that are known and ignored; `IGNORED` is what the format itself ignores.
        skipped: Number of shapes that are not drawn, by kind.
        blank_regions: Regions that cover no pixel.
        empty: Labels that hold only background.
        without_label: Pictures that no label belongs to; they are left out.
        without_picture: Labels whose picture is not there.
        without_class: Labels that have no pixel of any class; they are left out.
        problems: What could not be used, as sentences.
    """

    format: str
    title: str
    output: str
    label_set: LabelSet
    splits: dict[str, SplitCounts] = dataclasses.field(default_factory=dict)
    rules: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    ignored_labels: list[str] = dataclasses.field(default_factory=list)
    unknown: Counter[str] = dataclasses.field(default_factory=Counter)
    unknown_files: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    ignored: Counter[str] = dataclasses.field(default_factory=Counter)
    skipped: Counter[str] = dataclasses.field(default_factory=Counter)
    blank_regions: list[str] = dataclasses.field(default_factory=list)
    empty: list[str] = dataclasses.field(default_factory=list)
    without_label: list[str] = dataclasses.field(default_factory=list)
    without_picture: list[str] = dataclasses.field(default_factory=list)
    without_class: list[str] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)

    @property
    def pixels(self) -> dict[str, int]:
        """Pixels by the name of the class, over all splits; those that are ignored under `"ignored"`."""
        total = sum((counts.pixels for counts in self.splits.values()), np.zeros(256, np.int64))
        named = {name: int(total[index]) for index, name in enumerate(self.label_set.names)}
        return {**named, "ignored": int(total[IGNORE])}

    @property
    def overlap(self) -> int:
        """Pixels in regions of several classes, over all splits."""
        return sum(counts.overlap for counts in self.splits.values())

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as a dictionary that `json.dumps` takes."""
        return {
            "format": self.format,
            "output": self.output,
            "classes": list(self.label_set.names),
            "splits": {split: self._split(counts) for split, counts in self.splits.items()},
            "overlap_pixels": self.overlap,
            "rules": self.rules,
            "notes": self.notes,
            "ignored_labels": self.ignored_labels,
            "ignored_pixels": {
                "by the format" if name == IGNORED else name: count for name, count in self.ignored.items()
            },
            "unknown": [
                {"what": what or "(no label)", "pixels": count, "files": self.unknown_files.get(what, [])}
                for what, count in self.unknown.items()
            ],
            "not_drawn": dict(self.skipped),
            "regions_without_pixels": self.blank_regions,
            "empty_labels": self.empty,
            "pictures_without_label": self.without_label,
            "labels_without_picture": self.without_picture,
            "labels_without_class": self.without_class,
            "problems": self.problems,
        }

    def _split(self, counts: SplitCounts) -> dict[str, Any]:
        rows = [
            {
                "name": name,
                "pixels": int(counts.pixels[index]),
                "images": int(counts.images[index]),
                "covered_pixels": int(counts.covered[index]),
            }
            for index, name in enumerate(self.label_set.names)
        ]
        return {
            "masks": counts.masks,
            "classes": rows,
            "ignored_pixels": int(counts.pixels[IGNORE]),
            "overlap_pixels": counts.overlap,
        }
