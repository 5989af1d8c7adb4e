"""How much of a data set is read into memory at a time, whatever its files and archives claim to hold."""

from __future__ import annotations

import io
import zipfile
from typing import IO

from PIL import Image, UnidentifiedImageError

from keras_segformer.data.pairs import File
from keras_segformer.errors import InvalidDatasetError, InvalidImageError
from keras_segformer.image_formats import MAX_PIXELS_VARIABLE, open_image
from keras_segformer.images import ReadImage, read_image

MAX_PICTURE_BYTES = 2**28
"""The size of a file of a picture or mask: as many pixels as Pillow allows by default, uncompressed."""


def read_picture_bytes(file: File) -> bytes:
    """Reads the file of a picture or mask.

    Args:
        file: The file, on disk or in a zip archive, where a few bytes may unpack to gigabytes.

    Returns:
        Its content.

    Raises:
        InvalidDatasetError: It is larger than `MAX_PICTURE_BYTES`. The message is the predicate of a sentence about
            the file.
        OSError: It cannot be read.
        zipfile.BadZipFile: Likewise, in an archive.

    Example:

    ```python
    content = read_picture_bytes(Path("masks/a.png"))
    ```
    """
    size = file.root.getinfo(file.at).file_size if isinstance(file, zipfile.Path) else file.stat().st_size
    check_picture_bytes(size)
    return file.read_bytes()


def check_picture_bytes(size: int) -> None:
    """Refuses files that are too large for one picture.

    Args:
        size: The size in bytes, unpacked.

    Raises:
        InvalidDatasetError: It is larger than `MAX_PICTURE_BYTES`.

    Example:

    >>> check_picture_bytes(1_000_000)
    """
    if size > MAX_PICTURE_BYTES:
        raise InvalidDatasetError(
            f"has {size / 1e6:.0f} MB, and a picture may have {MAX_PICTURE_BYTES / 1e6:.0f} MB; cut it into tiles, or "
            "save it compressed"
        )


def read_streamed_image(stream: IO[bytes], name: str, bit_depth: int | None = None) -> ReadImage:
    """Reads a picture that comes from a server.

    Args:
        stream: Its content, of which no more is read than a picture may have.
        name: What messages call it.
        bit_depth: As for `keras_segformer.images.read_image`.

    Returns:
        The picture.

    Raises:
        InvalidImageError: It cannot be read, or is too large.
        OSError: The server fails.
    """
    content = stream.read(MAX_PICTURE_BYTES + 1)
    try:
        check_picture_bytes(len(content))
        with open_image(io.BytesIO(content)) as image:
            return read_image(image, bit_depth)
    except InvalidDatasetError as error:
        raise InvalidImageError(f"'{name}' {error}") from error
    except UnidentifiedImageError as error:
        raise InvalidImageError(f"'{name}' is not an image of a format that is read; check the address") from error


def open_dataset_image(data: bytes) -> Image.Image:
    """Opens a picture or mask of a data set, in the formats and up to the number of pixels that are allowed.

    Args:
        data: The content of the file.

    Returns:
        The picture, not decoded yet.

    Raises:
        InvalidDatasetError: It has too many pixels. The message is the predicate of a sentence about the file.
        PIL.UnidentifiedImageError: It has another format.

    Example:

    ```python
    with open_dataset_image(content) as image:
        size = image.size
    ```
    """
    try:
        return open_image(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise InvalidDatasetError(
            f"has too many pixels ({error}); cut it into tiles, or raise the limit with {MAX_PIXELS_VARIABLE}"
        ) from error
