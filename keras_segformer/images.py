"""Reading images: any file, PIL image or array becomes RGB, 8 bits a channel, upright."""

from __future__ import annotations

import contextlib
import glob
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from keras_segformer.errors import InvalidImageError

__all__ = ["ImageSource", "find_images", "load_image"]

ImageSource = str | os.PathLike[str] | Image.Image | np.ndarray

# Modes of more than 8 bits, whose values Pillow would clip at 255 on the way to RGB; `I` is another.
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "F")


def load_image(source: ImageSource) -> np.ndarray:
    """Reads an image as RGB on the scale 0..255.

    Files and PIL images are taken in every mode that Pillow converts to RGB, and turned upright by their EXIF
    orientation; of an animated file the first frame counts. 16-bit grey values (modes `I;16` and `I`,
    0..65535) are divided by 257, where Pillow's own conversion would clip them at 255; values of mode `F` are
    on the scale 0..255. Transparent pixels are laid over white, as a page would show them: the colour stored
    under full transparency is arbitrary and was never meant to be seen.

    Args:
        source: Path of an image file, PIL image, or array `(H, W)`, `(H, W, 1)`, `(H, W, 3)` (RGB) or
            `(H, W, 4)` (RGBA); tensors that NumPy can read are arrays too. Arrays of uint16 are on the scale
            0..65535, all other integers and floats on 0..255; floats are rounded.

    Returns:
        A new array `(H, W, 3)`, uint8.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidImageError: The file is broken, is no image or has more pixels than Pillow's guard against
            decompression bombs allows; or the array has a wrong shape, a wrong dtype, or values that are not
            finite or out of range.

    Warns:
        UserWarning: All values are so small that they look to be on another scale: floats up to 1, or
            16-bit integers up to 255.

    Example:

    >>> load_image(np.full((2, 2), 65535, dtype=np.uint16))[0, 0]
    array([255, 255, 255], dtype=uint8)
    """
    if isinstance(source, Image.Image):
        what, read = "the PIL image", _read_pillow
    elif isinstance(source, (str, os.PathLike)):
        what, read = f"'{os.fspath(source)}'", _read_file
    else:
        what, read = "the image array", _read_array
    return _to_rgb(read(source, what), what)


def find_images(pattern: str | os.PathLike[str]) -> list[Path]:
    """Lists the image files that a command-line argument stands for.

    Args:
        pattern: An image file, a folder (its own images, not those of its subfolders), or a glob pattern, in
            which `**` stands for any number of folders. In folders and globs, files count as images by the
            extensions that Pillow can read; a file named in full is returned whatever its extension.

    Returns:
        The paths, sorted.

    Raises:
        FileNotFoundError: There is no such image.

    Example:

    ```python
    find_images("holiday/*.jpg")
    ```
    """
    path = Path(pattern)
    if path.is_file():
        return [path]
    # Path.glob takes no absolute patterns.
    candidates = path.iterdir() if path.is_dir() else map(Path, glob.glob(str(pattern), recursive=True))
    extensions = _readable_extensions()
    images = sorted(file for file in candidates if file.suffix.lower() in extensions and file.is_file())
    if not images:
        raise FileNotFoundError(
            f"no image found at '{pattern}'; name an image file, a folder that holds some, or a glob such as "
            f"'photos/*.jpg'"
        )
    return images


def _readable_extensions() -> set[str]:
    """The file extensions, in lower case and with their dot, of the formats that Pillow can decode."""
    extensions = Image.registered_extensions()  # fills Image.OPEN too
    # Stubs only recognise a format, such as HDF5, whose decoder an application would have to bring.
    stubs = {
        image_format
        for image_format, (factory, _) in Image.OPEN.items()
        if isinstance(factory, type) and issubclass(factory, ImageFile.StubImageFile)
    }
    return {extension for extension, image_format in extensions.items() if image_format in Image.OPEN.keys() - stubs}


def _read_file(source: str | os.PathLike[str], what: str) -> np.ndarray:
    path = Path(source)
    if path.is_dir():
        raise InvalidImageError(f"{what} is a folder; name one image in it, or list its images with find_images")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {what}; check the path and the working folder")
    # Opened here, because files that Pillow opens by name it may map into memory, and mapped grey TIFF files that are
    # to be turned by 90° come out garbled (Pillow 13.0).
    with _named_errors(what), path.open("rb") as file, Image.open(file) as image:
        return _read_pillow(image, what)


def _read_pillow(image: Image.Image, what: str) -> np.ndarray:
    """The pixels of a PIL image, upright: RGB, or grey values of more than 8 bits."""
    with _named_errors(what):
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "I":
            return _as_uint16(np.asarray(upright), what)
        return np.asarray(upright) if upright.mode in _DEEP_MODES else _over_white(upright)


def _read_array(source: Any, what: str) -> np.ndarray:
    if not hasattr(source, "__array__"):
        raise InvalidImageError(
            f"an image is a path, a PIL image or an array; got {type(source).__name__}: convert lists with "
            f"numpy.asarray, open bytes with PIL.Image.open(io.BytesIO(...))"
        )
    try:
        return np.asarray(source)
    except Exception as error:  # each framework has its own, such as for tensors without values or on a device
        raise InvalidImageError(f"{what} is no NumPy array and cannot be made one ({error}); convert it") from error


@contextlib.contextmanager
def _named_errors(what: str) -> Iterator[None]:
    """Makes one exception with a remedy of all that Pillow may raise about a file or image."""
    try:
        yield
    except (InvalidImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise InvalidImageError(
            f"{what} is larger than Pillow's guard against decompression bombs allows; if you trust it, raise "
            f"PIL.Image.MAX_IMAGE_PIXELS ({error})"
        ) from error
    except UnidentifiedImageError as error:
        raise InvalidImageError(f"{what} is no image that Pillow can read; save it as PNG or JPEG") from error
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidImageError(f"{what} cannot be read as an image ({error}); save or download it again") from error


def _as_uint16(values: np.ndarray, what: str) -> np.ndarray:
    """The values of mode `I`: 32-bit integers, which Pillow uses to hold 16-bit grey."""
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        raise InvalidImageError(
            f"{what} has values from {low} to {high} but mode I is read as 16-bit grey; scale them to 0..65535"
        )
    return values.astype(np.uint16)


def _over_white(image: Image.Image) -> np.ndarray:
    """A PIL image of 8 bits a channel as RGB, its transparency laid over white."""
    if not image.has_transparency_data:
        return np.array(image.convert("RGB"))
    layer = image.convert("RGBA")
    page = Image.new("RGBA", layer.size, "white")
    return np.array(Image.alpha_composite(page, layer).convert("RGB"))


def _to_rgb(array: np.ndarray, what: str) -> np.ndarray:
    _check_layout(array, what)
    values = _to_uint8(array, what)
    if values.ndim == 2:
        values = values[:, :, np.newaxis]
    channels = values.shape[2]
    if channels == 4:
        return _over_white(Image.fromarray(values))
    return values if channels == 3 else np.repeat(values, 3, axis=2)


def _check_layout(array: np.ndarray, what: str) -> None:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InvalidImageError(
            f"{what} must have the shape (height, width) or (height, width, 1, 3 or 4 channels); got {array.shape}: "
            f"pass the images of a batch one by one, and put the channels last"
        )
    if array.size == 0:
        raise InvalidImageError(f"{what} has no pixels (shape {array.shape}); pass another")
    if array.dtype.kind not in "uif":
        raise InvalidImageError(
            f"{what} must have integer or floating-point values; got {array.dtype}: convert them to uint8 on the "
            f"scale 0..255"
        )


def _to_uint8(array: np.ndarray, what: str) -> np.ndarray:
    """A copy of the array in C order, brought to the scale 0..255."""
    is_float = array.dtype.kind == "f"
    if is_float and not np.isfinite(array).all():
        raise InvalidImageError(f"{what} has NaN or infinite values; replace them, as with numpy.nan_to_num")
    low, high = array.min(), array.max()
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        if 0 < high <= 255:
            _warn_of_scale(f"{what} is read on the 16-bit scale 0..65535", high, "convert it to uint8")
        return np.rint(array / np.float32(257)).astype(np.uint8, order="C")
    if np.rint(low) < 0 or np.rint(high) > 255:
        raise InvalidImageError(f"{what} must have values in 0..255; got {low} to {high}: rescale or clip them")
    if is_float and 0 < high <= 1:
        _warn_of_scale(f"{what} is read on the scale 0..255", high, "multiply it by 255")
    return (np.rint(array) if is_float else array).astype(np.uint8, order="C")


def _warn_of_scale(reading: str, high: Any, remedy: str) -> None:
    warnings.warn(
        f"{reading}, but its largest value is {high}; if it is on a smaller scale, {remedy}",
        UserWarning,
        stacklevel=5,  # the caller of load_image
    )


def __dir__() -> list[str]:
    return list(__all__)
