"""Image files for `Examples`: those that TensorFlow decodes correctly are kept, others are converted to PNG."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import tensorflow as tf
from PIL import Image

from keras_segformer.bit_depth import is_deep_colour
from keras_segformer.data.file_budgets import open_dataset_image
from keras_segformer.errors import InvalidDatasetError, InvalidImageError
from keras_segformer.image_formats import (
    TURNED_BY_90,
    UPRIGHT,
    frame_assumption,
    stored_orientation,
    without_orientation,
)
from keras_segformer.images import read_image

# MPO is a JPEG with more pictures behind the first, as some phones write it.
_KEPT_FORMATS = ("JPEG", "MPO", "PNG")
_KEPT_MODES = ("RGB", "L")


@dataclasses.dataclass(frozen=True)
class EncodedImage:
    """A picture as `Examples` holds it.

    Args:
        data: A JPEG or PNG file of 8 bits a channel, upright.
        transparent: `(H, W)`, bool, true where the picture is transparent; `None` if it is opaque.
        assumptions: What was assumed to read it, each as the predicate of a sentence about the picture.
    """

    data: bytes
    transparent: np.ndarray | None = None
    assumptions: tuple[str, ...] = ()


def encode_image(data: bytes, mask_size: tuple[int, int] | None = None, bit_depth: int | None = None) -> EncodedImage:
    """Turns an image file into one that `Examples` may hold.

    Args:
        data: The content of a file that Pillow reads.
        mask_size: Height and width of its mask, which tells whether a photograph that is stored turned (by its EXIF
            orientation) was annotated as it is stored or as viewers show it.
        bit_depth: How many of 16 bits a channel count; see `keras_segformer.images.load_image`.

    Returns:
        The same bytes where they are a plain JPEG or PNG; else, as for 16-bit, transparent, turned and CMYK images and
        for other formats, a PNG of what `keras_segformer.images.load_image` makes of it.

    Raises:
        InvalidDatasetError: It is not an image, is broken, or is stored turned and the mask does not tell which way is
            meant. The message is the predicate of a sentence about the file.

    Example:

    ```python
    encoded = encode_image(Path("photo.webp").read_bytes()).data
    ```
    """
    try:
        with open_dataset_image(data) as image:
            keep_turned, turned = _orientation(image, mask_size)
            is_plain = image.format in _KEPT_FORMATS and image.mode in _KEPT_MODES and not is_deep_colour(image)
            if is_plain and (keep_turned or not turned):
                return EncodedImage(data, assumptions=(*turned, *frame_assumption(image)))
            if keep_turned:
                image = without_orientation(image)
            read = read_image(image, bit_depth)
            buffer = io.BytesIO()
            Image.fromarray(read.pixels).save(buffer, "PNG")
            return EncodedImage(buffer.getvalue(), read.transparent, (*turned, *read.assumptions))
    except InvalidDatasetError:
        raise
    except InvalidImageError as error:
        raise InvalidDatasetError(str(error).removeprefix("the PIL image ")) from error
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidDatasetError("cannot be read as an image; save or download it again") from error


def _orientation(image: Image.Image, mask_size: tuple[int, int] | None) -> tuple[bool, tuple[str, ...]]:
    """Returns True if a turned picture is to be kept as it is stored, and what to report about it."""
    orientation = stored_orientation(image)
    if orientation == UPRIGHT:
        return False, ()
    stored = (image.height, image.width)
    shown = stored[::-1] if orientation in TURNED_BY_90 else stored
    if stored == shown or mask_size is None:
        raise InvalidDatasetError(
            "is stored turned (EXIF orientation), and nothing says whether its mask is too; save both upright"
        )
    if mask_size == shown:
        return False, ("is stored turned (EXIF orientation), and turned upright, as the size of its mask asks",)
    if image.format == "TIFF":  # which Pillow turns by itself
        raise InvalidDatasetError("is a TIFF that is stored turned, unlike its mask; save both upright")
    return True, ("is stored turned (EXIF orientation), and left so, as the size of its mask asks",)


def image_size(encoded: bytes) -> tuple[int, int]:
    """Decodes an image to the end, as training will.

    Args:
        encoded: The `data` of what `encode_image` returned.

    Returns:
        Height and width in pixels.

    Raises:
        InvalidDatasetError: It is truncated or broken; the message is as in `encode_image`.

    Example:

    ```python
    height, width = image_size(encoded)
    ```
    """
    try:
        return tuple(tf.io.decode_image(encoded, channels=3, expand_animations=False).shape[:2])
    except tf.errors.InvalidArgumentError as error:
        raise InvalidDatasetError("is truncated or broken; save or download it again") from error
