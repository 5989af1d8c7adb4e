"""Maps the classes of a model to those of a data set, to evaluate it on classes that it was not trained for."""

from __future__ import annotations

import dataclasses
import os
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

from keras_segformer.json_text import read_json

_FOLDER = resources.files(__package__) / "class_mappings"


@dataclasses.dataclass(frozen=True)
class ClassMapping:
    """A class of the data set for every class of the model.

    Args:
        targets: Class index in the data set by class index of the model. Out-of-range indices mean
            "no matching class": such a prediction is wrong wherever the truth is a class.

    Raises:
        ValueError: There is no target, or one is not an integer.

    Example:

    >>> ClassMapping((1, 0, 11)).apply(np.array([[0, 1, 2]])).tolist()
    [[1, 0, 11]]
    """

    targets: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.targets or not all(type(target) is int for target in self.targets):
            raise ValueError(
                "A class mapping needs one class index of the data set, an integer, for every class of the model; got "
                f"{list(self.targets)}."
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ClassMapping:
        """Reads a class mapping.

        Args:
            path: A JSON file with an object whose `map` is the list of targets; other keys are ignored. If there is no
                such file, the name of a class mapping that comes with the package, such as `"ade20k_to_camvid"`.

        Returns:
            The mapping.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: The JSON file does not hold a class mapping.

        Example:

        ```python
        ClassMapping.load("ade20k_to_camvid").targets[:3]  # (1, 1, 0)
        ```
        """
        try:
            content = read_json(_find(path))
        except ValueError as error:
            raise ValueError(f"The class mapping '{path}' is not JSON ({error}); correct it.") from error
        targets = content.get("map") if isinstance(content, dict) else None
        if not isinstance(targets, list):
            raise ValueError(f"The class mapping '{path}' has no list `map` of class indices; add it.")
        return cls(tuple(targets))

    def check(self, model_classes: int | None, data_classes: int) -> None:
        """Checks that the mapping fits the classes of a model and a data set.

        Args:
            model_classes: The labels of the model, where they are known.
            data_classes: The labels of the data set.

        Raises:
            ValueError: There is not one target for every label of the model, or no target is a class.
        """
        if model_classes not in (None, len(self.targets)):
            raise ValueError(
                f"The class mapping has {len(self.targets)} entries, but the model has {model_classes} classes; give "
                "the class mapping of this model."
            )
        if not any(0 <= target < data_classes for target in self.targets):
            raise ValueError(
                f"No entry of the class mapping is a class of the data set, 0 to {data_classes - 1}; give the "
                "class mapping to this data set."
            )

    def apply(self, labels: np.ndarray) -> np.ndarray:
        """Maps a prediction.

        Args:
            labels: Class indices of the model, integers of any shape.

        Returns:
            Class indices of the data set, of the same shape, int64; out-of-range indices mean "no matching class".
        """
        return np.asarray(self.targets)[labels]


def class_mapping_names() -> tuple[str, ...]:
    """The class mappings that come with the package, sorted.

    Example:

    >>> class_mapping_names()
    ('ade20k_to_camvid', 'cityscapes_to_camvid')
    """
    return tuple(sorted(entry.name.removesuffix(".json") for entry in _FOLDER.iterdir()))


def _find(path: str | os.PathLike[str]) -> Traversable:
    name = os.fspath(path)
    if Path(name).is_file():
        return Path(name)
    bundled = name.removesuffix(".json")
    if bundled not in class_mapping_names():
        raise FileNotFoundError(
            f"There is no class mapping '{name}'; check the path, or take one of {', '.join(class_mapping_names())}."
        )
    return _FOLDER / f"{bundled}.json"
