"""What every format is read into: classes, and pictures with their labels as regions or as values of pixels."""

from __future__ import annotations

import dataclasses
import math
import posixpath
import re
import unicodedata
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from keras_segformer.data.importers.json_kinds import json_kind
from keras_segformer.data.importers.polygons import POLYGON_RULES, Size, draw_polygon
from keras_segformer.data.importers.tree import Tree, is_image
from keras_segformer.errors import InvalidDatasetError

RGB = tuple[int, int, int]

# JSON files of Supervisely and Cityscapes, which other files tell, and of which there may be very many.
_PER_PICTURE = re.compile(r"(^|.*/)ann/[^/]*\.json|.*gt(fine|coarse).*_polygons\.json", re.IGNORECASE)

UNLABELLED = ""
"""Used in place of a class name for unlabelled pixels."""

IGNORED = "\0ignored"
"""In place of a class name: these pixels are ignored, whatever the options say."""

VOID_NAMES = (
    "void", "ignore", "ignored", "__ignore__", "ignore region", "unlabeled", "unlabelled", "don't care", "dontcare",
)  # fmt: skip
"""Labels whose pixels are ignored by default; case does not matter, and `_` and `-` count as spaces."""

ORDERS = ("order", "area")
"""Which of two overlapping regions is on top: the later one in the export's order, or the smaller one."""


_CHOICES = {
    "polygon_rule": tuple(POLYGON_RULES),
    "overlap": ORDERS,
    "crowd": ("class", "ignore"),
    "unlabelled": ("background", "ignore"),
    "annotation": ("newest", "oldest", "each"),
    "lines": ("draw", "skip"),
    "cityscapes_classes": ("train", "all"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How an export is read; the report states every default that was used.

    Args:
        polygon_rule: One of `POLYGON_RULES`; that of the tool by default.
        overlap: One of `ORDERS`; that of the tool by default.
        crowd: `"class"` if COCO's crowd regions count as their class, `"ignore"` if they become 255.
        alpha_threshold: The opacity, from 1 to 255, from which a pixel of a soft edge counts.
        background: The class of unlabelled pixels, added first where the export has none of that name; `None` for
            none, so that they are ignored.
        unlabelled: `"background"`, or `"ignore"` for sets that are labelled in part; by default what the format means.
        void: Names of labels whose pixels are ignored.
        classes: File with the classes in their order: a `classes.json`, or a text with a name a line.
        annotation: `"newest"`, `"oldest"` or `"each"` of several annotations of a picture in Label Studio.
        lines: `"draw"` if labelme's lines and points are drawn as labelme does, `"skip"` if not.
        cityscapes_classes: `"train"` for the 19 classes of Cityscapes' benchmark, `"all"` for every one with an id.
        images: Folder with the pictures, where the export does not hold them; for the format `folders` also inside it.
        masks: Folder with the masks, for the format `folders`.
        image_suffix: How the names of pictures end, for the format `folders`.
        mask_suffix: How the names of masks end, for the format `folders`.

    Raises:
        ValueError: A value is not among those listed here.

    Example:

    >>> ImportOptions(overlap="area", void=("cloud",)).is_void("Cloud")
    True
    """

    polygon_rule: str | None = None
    overlap: str | None = None
    crowd: str = "class"
    alpha_threshold: int = 128
    background: str | None = "background"
    unlabelled: str | None = None
    void: tuple[str, ...] = VOID_NAMES
    classes: Path | None = None
    annotation: str = "newest"
    lines: str = "draw"
    cityscapes_classes: str = "train"
    images: Path | None = None
    masks: Path | None = None
    image_suffix: str | None = None
    mask_suffix: str | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise ValueError(f"`{name}` must be one of {', '.join(choices)}; got {value!r}")
        if not 1 <= self.alpha_threshold <= 255:
            raise ValueError(f"`alpha_threshold` must be from 1 to 255; got {self.alpha_threshold!r}")

    def is_void(self, name: str) -> bool:
        """Returns True if the pixels of a label are ignored."""
        return _plain(name) in {_plain(each) for each in self.void}

    def is_background(self, name: str) -> bool:
        """Returns True if a label of the export is the background."""
        return _plain(name) in {"background", _plain(self.background or "background")}


@dataclasses.dataclass(frozen=True)
class LabelClass:
    """A class of the export.

    Args:
        name: Its name.
        color: Its colour in the tool.
    """

    name: str
    color: RGB | None = None


@dataclasses.dataclass(frozen=True)
class Region:
    """A part of a picture that has a label.

    Args:
        label: The class; empty where the annotator gave none.
        draw: From the height and width of the picture to a mask `(H, W)`, bool.
    """

    label: str
    draw: Callable[[Size], np.ndarray]


@dataclasses.dataclass
class Painting:
    """The label of a picture as regions, the later over the earlier.

    Args:
        regions: What is drawn.
        size: Height and width of the picture according to the export; `None` where it does not say.
        skipped: What is not drawn and how often: lines, points, boxes and so on.
        problems: What is wrong with single regions, as sentences.
    """

    regions: list[Region]
    size: Size | None = None
    skipped: Counter[str] = dataclasses.field(default_factory=Counter)
    problems: list[str] = dataclasses.field(default_factory=list)

    def add(self, label: str, draw: Callable[[Size], np.ndarray]) -> None:
        """Adds a region on top."""
        self.regions.append(Region(label, draw))


@dataclasses.dataclass(frozen=True)
class PixelValues:
    """The label of a picture as a value for every pixel.

    Args:
        values: `(H, W)`, integer.
        names: The class of every value, `UNLABELLED` for none. Others are unknown, which is reported.
        describe: From a value to its description in messages.
    """

    values: np.ndarray
    names: Mapping[int, str]
    describe: Callable[[int], str] = str


@dataclasses.dataclass(frozen=True)
class ExportFile:
    """A file of an export, or of the folder of pictures that was named beside it."""

    tree: Tree
    path: str

    def read(self) -> bytes:
        """The content."""
        return self.tree.read(self.path)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of the export and what is known of its label.

    Args:
        name: Its path in its subset, without suffix.
        source: The file that holds the label, for messages.
        load: Reads the label, given the height and width of the picture where there is one. Raises
            `InvalidDatasetError`, whose message is the predicate of a sentence about `source` or names a file.
        image: The picture; `None` where it is not there.
        embedded: Reads the picture where it lies inside the label.
        subset: The subset that it belongs to, as the tool names it.
        image_name: The path, without suffix, by which the export names the image, where that is not `name`.
    """

    name: str
    source: str
    load: Callable[[Size | None], Painting | PixelValues]
    image: ExportFile | None = None
    embedded: Callable[[], bytes] | None = None
    subset: str = ""
    image_name: str = ""


@dataclasses.dataclass(kw_only=True)
class Export:
    """The content of an export.

    Args:
        classes: The classes in the tool's order; classes of the same name are merged.
        pictures: The pictures with labels.
        order: Which of `ORDERS` decides overlaps; `None` where there are none.
        unlabelled: What pixels without label are in this format: `"background"` or `"ignore"`.
        upright: Whether the tool is known to label pictures as they are shown, turned as EXIF says. Where it is not,
            labels that fit a turned picture both ways are refused.
        ignored: Names of labels that this format does not count as classes, though it has values for them.
        rules: The rules of this format, as sentences.
        notes: What was assumed or left aside, as sentences.
        without_label: Pictures that no label belongs to.
        problems: Files that cannot be read, as sentences.
    """

    classes: list[LabelClass] = dataclasses.field(default_factory=list)
    pictures: list[Picture] = dataclasses.field(default_factory=list)
    order: str | None = None
    unlabelled: str = "background"
    upright: bool = True
    ignored: tuple[str, ...] = ()
    rules: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    without_label: list[str] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)


class Context:
    """The files and options from which a format reads.

    Args:
        tree: The files of the export.
        options: How it is to be read.
    """

    def __init__(self, tree: Tree, options: ImportOptions) -> None:
        self.tree = tree
        self.options = options
        self._json_kinds: dict[str, str | None] | None = None
        self.elsewhere: Tree | None = None
        if options.images:
            self.elsewhere = Tree(options.images) if options.images.exists() else self.folder(options.images)

    def folder(self, path: Path) -> Tree:
        """The files of a folder that an option names: inside of the export, or else anywhere."""
        inside = unicodedata.normalize("NFC", posixpath.normpath(path.as_posix()))
        return Tree(self.tree.source, below=inside) if self.tree.below(inside) else Tree(path)

    def json_files(self, kind: str) -> list[str]:
        """The JSON files of a kind, as `json_kind` tells them apart; each is looked at only once."""
        if self._json_kinds is None:
            paths = [path for path in self.tree.ending(".json") if not _PER_PICTURE.fullmatch(path)]
            self._json_kinds = {path: json_kind(self.tree.peek_json(path)) for path in paths}
        return [path for path, each in self._json_kinds.items() if each == kind]

    def find_image(
        self, name: str, folders: Iterable[str] = (), is_other: Callable[[str], bool] = lambda path: False
    ) -> ExportFile | None:
        """The picture that an export names.

        Args:
            name: Its path as the export writes it.
            folders: Where to look first.
            is_other: Tells paths that cannot be it, such as those of masks or of other splits.

        Returns:
            The picture, in the export or else in the folder of pictures; `None` where there is none.
        """
        path = self.tree.find_image(name, folders, is_other)
        if path is not None:
            return ExportFile(self.tree, path)
        path = self.elsewhere.find_image(name, [""], is_other) if self.elsewhere else None
        if path is not None:
            return ExportFile(self.elsewhere, path)
        # Some tools write names as in URLs.
        plain = urllib.parse.unquote(name)
        return self.find_image(plain, folders, is_other) if plain != name else None

    def unused_images(self, pictures: Iterable[Picture], paths: Iterable[str] | None = None) -> list[str]:
        """Those of the paths, by default all pictures of the export, that belong to no label."""
        used = {picture.image.path for picture in pictures if picture.image and picture.image.tree is self.tree}
        return [path for path in (self.tree.paths if paths is None else paths) if is_image(path) and path not in used]

    def polygon_rule(self, default: str) -> str:
        """The rule for filling polygons."""
        return self.options.polygon_rule or default

    def polygon(self, corners: np.ndarray, default_rule: str) -> Callable[[Size], np.ndarray]:
        """Returns a function that draws a polygon `(n, 2)`."""
        rule = self.polygon_rule(default_rule)
        return lambda size: draw_polygon(corners, size, rule)


def numbers_of(element: Mapping[str, object], *keys: str) -> list[float]:
    """Attributes or values as finite numbers.

    Raises:
        InvalidDatasetError: One is missing or is not such a number. The message is the predicate of a sentence.
    """
    try:
        numbers = [float(element[key]) for key in keys]  # type: ignore[arg-type]
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise InvalidDatasetError(f"has no number for one of {', '.join(keys)}") from error
    if not all(map(math.isfinite, numbers)):
        raise InvalidDatasetError(f"has no finite number for one of {', '.join(keys)}")
    return numbers


def merge_classes(classes: Iterable[LabelClass]) -> list[LabelClass]:
    """Merges classes of the same name, each with the first colour that it has."""
    merged: dict[str, LabelClass] = {}
    for each in classes:
        known = merged.setdefault(each.name, each)
        if known.color is None:
            merged[each.name] = each
    return [each for each in merged.values() if each.name]


def parse_color(text: str) -> RGB | None:
    """A colour such as `#1a2b3c` or `#abc`; `None` where it is written otherwise."""
    digits = text.strip().removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    try:
        return tuple(bytes.fromhex(digits)) if len(digits) == 6 else None
    except ValueError:
        return None


def color_of(parts: object) -> RGB | None:
    """A colour that is written as a list of red, green and blue from 0 to 255; `None` where it is something else.

    Args:
        parts: What a file has in its place.

    Example:

    >>> color_of([9, 0, 255]), color_of([0.5, 0, 1])
    ((9, 0, 255), None)
    """
    if isinstance(parts, list) and len(parts) == 3 and all(type(part) is int and 0 <= part <= 255 for part in parts):
        return tuple(parts)
    return None


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
