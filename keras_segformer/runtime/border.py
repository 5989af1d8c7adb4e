"""The border that some files expect around a picture, in place of padding inside of the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Border:
    """Rows and columns of one colour around a picture.

    Files for microcontrollers take them as a part of their input: padding inside of the network would copy the whole
    picture.

    Args:
        top: Number of rows above the picture.
        left: Number of columns to the left of it.
        bottom: Number of rows below it.
        right: Number of columns to the right of it.
        color: Its RGB values, 0..255.
    """

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0
    color: tuple[int, int, int] = (0, 0, 0)

    def padded_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """`(height, width)` of a picture with its border.

        Args:
            size: `(height, width)` of the picture.

        Example:

        >>> Border(top=3, left=3).padded_size((96, 96))
        (99, 99)
        """
        return size[0] + self.top + self.bottom, size[1] + self.left + self.right

    def picture_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The inverse of `padded_size`.

        Args:
            size: `(height, width)` of a picture with its border.
        """
        return size[0] - self.top - self.bottom, size[1] - self.left - self.right

    def around(self, picture: np.ndarray) -> np.ndarray:
        """Puts the border around a picture.

        Args:
            picture: `(height, width, 3)`, of any type.

        Returns:
            The larger picture, of the same type.
        """
        height, width, _ = picture.shape
        padded = np.empty((*self.padded_size((height, width)), 3), picture.dtype)
        padded[:] = self.color
        padded[self.top : self.top + height, self.left : self.left + width] = picture
        return padded

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON stores them."""
        return dataclasses.asdict(self) | {"color": list(self.color)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Border:
        """The inverse of `to_dict`.

        Raises:
            ValueError: A field is missing or unknown, or is not a number from 0 to 255.
        """
        lengths = ("top", "left", "bottom", "right")
        color = values.get("color")
        numbers = [values.get(name) for name in lengths] + (list(color) if isinstance(color, list) else [])
        if set(values) != {*lengths, "color"} or len(numbers) != 7 or not all(map(_is_byte, numbers)):
            raise ValueError(
                f"A border has top, left, bottom, right and three values of color, not {dict(values)}; give all of "
                "them, from 0 to 255."
            )
        return cls(**{name: values[name] for name in lengths}, color=tuple(color))


NO_BORDER = Border()


def check_border(border: Border, shape: tuple[int, ...], dtype: Any, name: str) -> None:
    """Refuses a file for microcontrollers whose border is not known.

    Without its border the input would be taken for a picture of 99x99 pixels, say, and every label would be off.

    Args:
        border: What the JSON file beside the file states.
        shape: `(B, H, W, 3)`, the shape of the input.
        dtype: The data type of the input.
        name: What the file is called in the message.

    Raises:
        ValueError: The input has the shape and the type of a picture with a border, and no border is stated.

    Example:

    >>> check_border(NO_BORDER, (1, 96, 96, 3), "int8", "m.tflite")
    """
    sides = shape[1:3]
    if border == NO_BORDER and np.dtype(dtype) == np.int8 and all(side % 32 == 3 for side in sides):
        raise ValueError(
            f"'{name}' takes {sides[0]}x{sides[1]} int8 pixels, as files for microcontrollers do, and nothing states "
            "their border; put the JSON file that convert wrote beside it."
        )


def _is_byte(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
