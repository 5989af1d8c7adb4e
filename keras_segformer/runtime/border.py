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


def _is_byte(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
