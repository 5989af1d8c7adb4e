"""Label sets: the names, colours and raw pixel values of the classes of a data set.

The label sets that come with the package are the JSON files beside this module; any other is read with
`LabelSet.from_dict` or made with `LabelSet.generic`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from keras_segformer.errors import InvalidPresetError
from keras_segformer.json_text import read_json
from keras_segformer.label_sets.colors import MAX_DISTINCT_COLORS, distinct_colors

__all__ = ["LabelSet", "label_set_names", "load_label_set"]

RGB = tuple[int, int, int]

_REQUIRED_KEYS = {"name", "names", "palette"}


@dataclasses.dataclass(frozen=True)
class LabelSet:
    """The classes that a label map may hold, in the order of their indices.

    Args:
        name: Short name, such as `"ade20k"`.
        names: The name of every class. Two classes may share one, as the two screens of ADE20K do.
        palette: The colour of every class, `(red, green, blue)` on the scale 0..255.
        ignore_index: The value of pixels that belong to no class: they count in no loss, no metric and no
            share, and are drawn black.
        raw_to_train: Class index of every value that occurs in the annotation files of the data set, or
            `ignore_index` for a value that means no class. Left empty, the files hold the class indices themselves.
        title: One line for people.
        source: Where the names and colours come from.
        licence: Under what terms they, and the data set, may be used.

    Raises:
        ValueError: A value of the wrong type, length or range.

    Example:

    >>> camvid = load_label_set("camvid")
    >>> camvid.num_classes, camvid.names[3], camvid.palette[3]
    (11, 'Road', (128, 64, 128))
    """

    name: str
    names: tuple[str, ...]
    palette: tuple[RGB, ...]
    ignore_index: int = 255
    raw_to_train: Mapping[int, int] = dataclasses.field(default_factory=dict, hash=False)
    title: str = ""
    source: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        _check_texts(self)
        _check_palette(self.palette, len(self.names))
        _require(
            _is_integer(self.ignore_index, 0, 65535) and self.ignore_index >= self.num_classes,
            f"`ignore_index` must be an integer that is not a class index, so {self.num_classes} to 65535; "
            f"got {self.ignore_index!r}",
        )
        raw_to_train = self.raw_to_train or {index: index for index in range(self.num_classes)}
        _check_raw_to_train(raw_to_train, self.num_classes, self.ignore_index)
        object.__setattr__(self, "raw_to_train", dict(raw_to_train))

    @property
    def num_classes(self) -> int:
        """The number of labels; 2 for binary segmentation, whose model has a single logit."""
        return len(self.names)

    @property
    def palette_array(self) -> np.ndarray:
        """The colours as an array `(num_classes, 3)`, uint8."""
        return np.array(self.palette, dtype=np.uint8)

    def fits(self, num_classes: int) -> bool:
        """Whether a model with that many logits means these classes.

        Args:
            num_classes: Channels of the logits. 1 is binary segmentation, which has two labels.

        Returns:
            True if every logit has a name, or both sides of the only one.

        Example:

        >>> load_label_set("camvid").fits(11), LabelSet.generic(1).fits(1)
        (True, True)
        """
        return self.num_classes == (2 if num_classes == 1 else num_classes)

    def to_dict(self) -> dict[str, Any]:
        """Returns the label set as a dictionary that `json.dumps` takes and `from_dict` reads.

        Example:

        >>> LabelSet.generic(2).to_dict()["names"]
        ['class 0', 'class 1']
        """
        return {
            **dataclasses.asdict(self),
            "names": list(self.names),
            "palette": [list(color) for color in self.palette],
            "raw_to_train": {str(raw): index for raw, index in self.raw_to_train.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LabelSet:
        """Reads a label set from the content of a JSON file.

        Args:
            data: The arguments of `LabelSet` by name, with lists for tuples and, as JSON has no other keys,
                texts for the raw values. `name`, `names` and `palette` are required.

        Returns:
            The label set.

        Raises:
            InvalidPresetError: A key that is missing or unknown, or a value of the wrong type, length or range.

        Example:

        >>> LabelSet.from_dict({"name": "lanes", "names": ["road", "lane"], "palette": [[0, 0, 0], [255, 0, 0]]}).names
        ('road', 'lane')
        """
        try:
            return cls(**_arguments(data))
        except ValueError as error:
            raise InvalidPresetError(str(error)) from error

    @classmethod
    def generic(cls, num_classes: int) -> LabelSet:
        """Names and colours for a model that comes without any.

        Args:
            num_classes: Channels of the model's logits, at most 1,024. 1 is binary segmentation, which has
                two labels: background and foreground.

        Returns:
            A label set with well separated colours. The colour of a class does not depend on how many follow.

        Raises:
            ValueError: `num_classes` is not an integer of that range.

        Example:

        >>> LabelSet.generic(3).names
        ('class 0', 'class 1', 'class 2')
        """
        _require(
            _is_integer(num_classes, 1, MAX_DISTINCT_COLORS),
            f"`num_classes` must be an integer from 1 to {MAX_DISTINCT_COLORS}; got {num_classes!r}",
        )
        binary = num_classes == 1
        names = ("background", "foreground") if binary else tuple(f"class {index}" for index in range(num_classes))
        return cls(
            name="binary" if binary else "generic",
            names=names,
            palette=distinct_colors(len(names)),
            # 255 is what most data sets use; with more classes it would be one of them.
            ignore_index=255 if len(names) <= 255 else 65535,
        )


def label_set_names() -> tuple[str, ...]:
    """Returns the names of the label sets that come with the package, sorted.

    Example:

    >>> label_set_names()
    ('ade20k', 'camvid', 'cityscapes', 'oxford_iiit_pet', 'voc')
    """
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(file.removesuffix(".json") for file in files if file.endswith(".json")))


def load_label_set(name: str) -> LabelSet:
    """Reads one of the label sets that come with the package.

    Args:
        name: One of `label_set_names()`.

    Returns:
        The label set.

    Raises:
        ValueError: There is no label set of that name.

    Example:

    >>> load_label_set("cityscapes").raw_to_train[7]
    0
    """
    _require(name in label_set_names(), f"there is no label set {name!r}; choose one of {', '.join(label_set_names())}")
    return LabelSet.from_dict(read_json(resources.files(__name__) / f"{name}.json"))


def _arguments(data: Any) -> dict[str, Any]:
    """The keyword arguments of `LabelSet` in JSON data, with its lists and texts turned into tuples and integers."""
    _require(isinstance(data, Mapping), f"a label set must be a JSON object; got {type(data).__name__}")
    known = {field.name for field in dataclasses.fields(LabelSet)}
    missing, unknown = sorted(_REQUIRED_KEYS - data.keys()), sorted(map(str, data.keys() - known))
    _require(not missing, f"the label set has no {_quoted(missing)}; add it")
    _require(not unknown, f"the label set has unknown keys {_quoted(unknown)}; remove them")
    for key in ("names", "palette"):
        _require(isinstance(data[key], list), f"`{key}` must be a list; got {data[key]!r}")
    arguments = {**data, "names": tuple(data["names"])}
    arguments["palette"] = tuple(tuple(color) if isinstance(color, list) else color for color in data["palette"])
    if "raw_to_train" in data:
        arguments["raw_to_train"] = _integer_keys(data["raw_to_train"])
    return arguments


def _integer_keys(raw_to_train: Any) -> dict[int, Any]:
    """`raw_to_train` with the texts that JSON has for keys turned into the integers they spell."""
    _require(isinstance(raw_to_train, Mapping), f"`raw_to_train` must be an object; got {raw_to_train!r}")
    for raw in raw_to_train:
        _require(
            isinstance(raw, str) and raw.isdecimal(), f"`raw_to_train` needs raw pixel values as keys; got {raw!r}"
        )
    return {int(raw): index for raw, index in raw_to_train.items()}


def _check_texts(label_set: LabelSet) -> None:
    for key in ("name", "title", "source", "licence"):
        value = getattr(label_set, key)
        _require(isinstance(value, str), f"`{key}` must be a text; got {value!r}")
    _require(label_set.name != "", "`name` must not be empty; name the label set")
    names = label_set.names
    _require(isinstance(names, tuple) and len(names) > 0, f"`names` needs the name of every class; got {names!r}")
    for index, name in enumerate(names):
        # A line break or control character would spoil the legend.
        _require(
            isinstance(name, str) and name.strip() != "" and name.isprintable(),
            f"`names[{index}]` must be one line of text; got {name!r}",
        )


def _check_palette(palette: Any, num_classes: int) -> None:
    _require(
        isinstance(palette, tuple) and len(palette) == num_classes,
        f"`palette` needs one colour for each of the {num_classes} in `names`; "
        f"got {len(palette) if isinstance(palette, tuple) else palette!r}",
    )
    for index, color in enumerate(palette):
        _require(
            isinstance(color, tuple) and len(color) == 3 and all(_is_integer(value, 0, 255) for value in color),
            f"`palette[{index}]` must be three integers from 0 to 255 (red, green, blue); got {color!r}",
        )


def _check_raw_to_train(raw_to_train: Any, num_classes: int, ignore_index: int) -> None:
    _require(isinstance(raw_to_train, Mapping), f"`raw_to_train` must be a mapping; got {raw_to_train!r}")
    for raw, index in raw_to_train.items():
        _require(_is_integer(raw, 0, 65535), f"`raw_to_train` needs raw values from 0 to 65535 as keys; got {raw!r}")
        _require(
            _is_integer(index, 0, num_classes - 1) or (_is_integer(index, 0, 65535) and index == ignore_index),
            f"`raw_to_train[{raw}]` must be a class index from 0 to {num_classes - 1}, or {ignore_index} for pixels to "
            f"ignore; got {index!r}",
        )


def _is_integer(value: Any, low: int, high: int) -> bool:
    """Whether a value is an integer of a range; `True`, which Python counts as 1, is not one."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _quoted(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
