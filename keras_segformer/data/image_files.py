"""Image files: which of them TensorFlow decodes to what a viewer shows, and what becomes of the others."""

from __future__ import annotations

import io

import tensorflow as tf
from PIL import Image

from keras_segformer.errors import InvalidDatasetError
from keras_segformer.images import load_image

# MPO is a JPEG with more pictures behind the first, as some phones write it.
_KEPT_FORMATS = ("JPEG", "MPO", "PNG")
_KEPT_MODES = ("RGB", "L")
_ORIENTATION = 0x0112  # EXIF's tag
_UPRIGHT = 1


def encode_image(data: bytes) -> bytes:
    """Turns an image file into one that `Examples` may hold.

    Args:
        data: The content of a file that Pillow reads.

    Returns:
        The same bytes where they are a plain JPEG or PNG; else, as for 16-bit, transparent and CMYK images and for
        other formats, a PNG of what `keras_segformer.images.load_image` makes of it.

    Raises:
        InvalidDatasetError: It is no image, is broken, or is stored turned. The message is the predicate of a sentence
            about the file.

    Example:

    ```python
    encoded = encode_image(Path("photo.webp").read_bytes())
    ```
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            # PNG's `getexif` would decode the picture to look behind it.
            if "exif" in image.info and image.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT:
                raise InvalidDatasetError(
                    "is stored turned (EXIF orientation), and nothing says whether its mask is too; save both upright"
                )
            if image.format in _KEPT_FORMATS and image.mode in _KEPT_MODES:
                return data
            buffer = io.BytesIO()
            Image.fromarray(load_image(image)).save(buffer, "PNG")
            return buffer.getvalue()
    except InvalidDatasetError:
        raise
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidDatasetError("cannot be read as an image; save or download it again") from error


def image_size(encoded: bytes) -> tuple[int, int]:
    """Decodes an image to the end, as training will.

    Args:
        encoded: What `encode_image` returned.

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
