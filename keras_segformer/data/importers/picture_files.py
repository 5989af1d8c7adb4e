"""Reads the pictures of an export, and converts those that other parts of this package do not read."""

from __future__ import annotations

import dataclasses
import io
import posixpath

import numpy as np
from PIL import Image, ImageOps

from keras_segformer.data.file_budgets import open_dataset_image
from keras_segformer.data.importers.polygons import Size
from keras_segformer.data.pairs import IMAGE_SUFFIXES
from keras_segformer.errors import InvalidDatasetError, InvalidImageError
from keras_segformer.image_formats import (
    TURNED_BY_90,
    UPRIGHT,
    stored_orientation,
    without_orientation,
)
from keras_segformer.images import load_image

_SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "BMP": ".bmp", "TIFF": ".tif", "WEBP": ".webp"}


@dataclasses.dataclass(frozen=True)
class PictureFile:
    """A picture that was decoded to the end.

    Args:
        data: The content of the file.
        suffix: The suffix of the file to write.
        stored: Height and width as stored.
        orientation: EXIF's orientation, 1 for upright.
    """

    data: bytes
    suffix: str
    stored: Size
    orientation: int = UPRIGHT

    @property
    def upright(self) -> Size:
        """Height and width as viewers and labelling tools show it."""
        return self.stored[::-1] if self.orientation in TURNED_BY_90 else self.stored

    def fit(self, size: Size | None, is_upright: bool = True) -> tuple[bool, Size]:
        """Finds out whether a label of a size was drawn on the picture as it is shown or as it is stored.

        Args:
            size: Height and width of the label; `None` where it has none.
            is_upright: Whether a label that fits both ways is known to be of the picture as it is shown.

        Returns:
            Whether the picture is to be shown upright, and the height and width that it then has.

        Raises:
            InvalidDatasetError: It fits neither, or both without being known to be upright. The message is the
                predicate of a sentence about the label.
        """
        if self.orientation != UPRIGHT and not is_upright and size == self.stored == self.upright:
            raise InvalidDatasetError(
                "is of a picture that is stored turned (EXIF orientation), and nothing says whether its label is too; "
                "save both upright"
            )
        if size is None or size == self.upright:
            return True, self.upright
        if size == self.stored:
            return False, self.stored
        raise InvalidDatasetError(
            f"is {size[1]}x{size[0]} pixels, but its picture has {self.upright[1]}x{self.upright[0]}; export both in "
            "one size"
        )

    def encode(self, upright: bool) -> tuple[bytes, str]:
        """The file to write and its suffix.

        Args:
            upright: Whether to turn it as EXIF says; else only the note about that is removed.

        Returns:
            The same bytes where the picture is stored upright in a format that data sets here may have; else a PNG.

        Raises:
            InvalidDatasetError: It has 16 bits a channel, and nothing says how many of them count. The message is the
                predicate of a sentence about the label.
        """
        if self.orientation == UPRIGHT and self.suffix:
            return self.data, self.suffix
        try:
            with open_dataset_image(self.data) as image:
                pixels = _pixels(image if upright else without_orientation(image))
        except InvalidImageError as error:
            reason = str(error).removeprefix("the PIL image ")
            raise InvalidDatasetError(f"is of a picture that {reason}") from error
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        return buffer.getvalue(), ".png"


def open_picture(data: bytes, path: str) -> PictureFile:
    """Decodes a picture to the end, so that broken ones are found now and not in training.

    Args:
        data: The content of the file.
        path: Its name.

    Returns:
        Its size and orientation.

    Raises:
        InvalidDatasetError: It cannot be read. The message is a sentence.
    """
    try:
        with open_dataset_image(data) as image:
            orientation = stored_orientation(image)
            suffix = posixpath.splitext(path)[1]
            known = _SUFFIXES.get(image.format or "", "")
            if known and suffix.lower() in IMAGE_SUFFIXES:
                known = suffix
            image.load()
            return PictureFile(data, known, (image.height, image.width), orientation)
    except (MemoryError, InvalidImageError):
        raise
    except InvalidDatasetError as error:
        raise InvalidDatasetError(f"{path} {error}.") from error
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidDatasetError(f"{path} cannot be read as a picture ({error}).") from error


def _pixels(image: Image.Image) -> np.ndarray:
    """The pixels of a picture, upright; grey ones stay grey."""
    return np.asarray(ImageOps.exif_transpose(image)) if image.mode in ("RGB", "L") else load_image(image)
