"""Opening image files: which formats are trusted, and how large a picture may be."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import PIL
from PIL import Image

from keras_segformer.errors import InvalidImageError

# Decoders of plain pictures. Others in Pillow start a program (EPS calls Ghostscript), read further files, or are
# rarely used and little tested.
FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO"),
    *("PCX", "PNG", "PPM", "QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
"""The formats that are read, by Pillow's names; HEIF and AVIF where their decoders are installed."""

# Until this version of Pillow, crafted files of these formats make it write out of bounds (.ci/advisories.json).
_FIXED_IN = {"TGA": (12, 3)}

PLUGIN_SUFFIXES = (".heic", ".heif", ".avif")
"""Suffixes of formats that phones write and that Pillow may read only with a plug-in."""

UPRIGHT, TURNED_BY_90 = 1, (5, 6, 7, 8)
"""Values of EXIF's orientation: stored upright, and stored with height and width exchanged."""

_ORIENTATION = 0x0112  # EXIF's tag
_SAMPLES = 277  # TIFF's tag SamplesPerPixel

MAX_PIXELS_VARIABLE = "KERAS_SEGFORMER_MAX_IMAGE_PIXELS"
"""The environment variable that sets how many pixels a picture may have."""


def readable_formats() -> list[str]:
    """Returns those of `FORMATS` that this machine's Pillow decodes without known faults, its HEIF plug-in included.

    Example:

    >>> "PNG" in readable_formats()
    True
    """
    _register_plugins()
    version = tuple(int(part) for part in PIL.__version__.split(".")[:2])
    return [name for name in FORMATS if name in Image.OPEN and version >= _FIXED_IN.get(name, version)]


@functools.cache
def _register_plugins() -> None:
    """Makes Pillow know all of its formats; a second search for a plug-in that is not installed would take long."""
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.init()


def readable_suffixes() -> set[str]:
    """Returns the file suffixes of the readable formats, in lower case and with their dot.

    Example:

    >>> ".jfif" in readable_suffixes()
    True
    """
    formats = readable_formats()
    # MPO files begin with a JPEG, whose decoder opens them.
    formats += ["MPO"] if "JPEG" in formats else []
    return {suffix for suffix, name in Image.registered_extensions().items() if name in formats}


def open_image(file: io.BufferedIOBase) -> Image.Image:
    """Opens a picture of one of the readable formats.

    Args:
        file: The file, opened for reading bytes.

    Returns:
        The picture, not decoded yet.

    Raises:
        PIL.UnidentifiedImageError: It has another format.
        PIL.Image.DecompressionBombError: It has more pixels than are allowed; see `set_max_image_pixels`.
    """
    with _pixel_limit_of_environment():
        return Image.open(file, formats=readable_formats())


def frame_assumption(image: Image.Image) -> tuple[str, ...]:
    """Describes that only the first of several frames or pages is read.

    Args:
        image: A picture that was opened from a file.

    Returns:
        The predicate of a sentence about it; nothing where there is only one. The other pictures in an MPO file are
        previews of the first, or its depth.
    """
    count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    return (f"has {count} frames, of which only the first is read",) if count > 1 else ()


def band_assumption(image: Image.Image) -> tuple[str, ...]:
    """Describes that bands of a TIFF file, such as near infrared, are left out.

    Args:
        image: A picture that was opened from a file.

    Returns:
        The predicate of a sentence about it; nothing where all bands are read.
    """
    read = sum(name != "X" for name in image.getbands())  # before version 11 Pillow has such for what is left out
    count = image.tag_v2.get(_SAMPLES, read) if image.format == "TIFF" else read
    bands = "the first is read" if read == 1 else f"the first {read} are read"
    return (f"has {count} bands, of which only {bands}",) if count > read else ()


def stored_orientation(image: Image.Image) -> int:
    """Reads how a photograph is stored.

    Args:
        image: A picture that was opened from a file.

    Returns:
        EXIF's orientation: 1 for upright, 5 to 8 where height and width are exchanged.
    """
    if image.format == "TIFF":
        orientation = image.tag_v2.get(_ORIENTATION, UPRIGHT)
    else:
        # PNG's `getexif` would decode the picture to look behind it.
        orientation = image.getexif().get(_ORIENTATION, UPRIGHT) if "exif" in image.info else UPRIGHT
    return orientation if orientation in range(2, 9) else UPRIGHT


def without_orientation(image: Image.Image) -> Image.Image:
    """Returns a picture that counts as upright the way it is stored.

    Args:
        image: A picture that was opened from a file.
    """
    image.load()
    stored = image.copy()
    stored.info.pop("exif", None)
    stored.getexif().clear()
    return stored


def check_regular_file(path: Path, what: str) -> None:
    """Refuses pipes and devices, which may never end.

    Args:
        path: An existing path.
        what: How messages call it.

    Raises:
        InvalidImageError: It is a folder, or not a regular file.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise InvalidImageError(f"{what} is a folder; name one image in it, or list its images with find_images")
    if not stat.S_ISREG(mode):
        raise InvalidImageError(f"{what} is not a regular file but a pipe or device; copy its content into a file")


def set_max_image_pixels(count: int) -> None:
    """Sets how many pixels a picture may have; Pillow's own limit is about 89 million, and twice that is an error.

    Args:
        count: The number of pixels. It holds for all uses of Pillow in this process.

    Raises:
        ValueError: The number is not positive.

    Example:

    ```python
    set_max_image_pixels(900_000_000)  # aerial pictures of 30,000 x 30,000
    ```
    """
    if count < 1:
        raise ValueError(f"the number of pixels must be positive; got {count}")
    # Pillow warns above this number and refuses above twice as many; the stated one is to pass without a warning.
    Image.MAX_IMAGE_PIXELS = count


@contextlib.contextmanager
def _pixel_limit_of_environment() -> Iterator[None]:
    text = os.environ.get(MAX_PIXELS_VARIABLE)
    if text is None:
        yield
        return
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{MAX_PIXELS_VARIABLE} must be a positive number of pixels; got {text!r}")
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, int(text)
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
