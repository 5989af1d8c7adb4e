"""Reads images: any file, PIL image or array becomes upright RGB with 8 bits a channel."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from keras_segformer.bit_depth import (
    check_bit_depth,
    deep_colours,
    depth_assumption,
    is_deep_colour,
    scale_to_bytes,
    stated_bits,
)
from keras_segformer.errors import InvalidImageError
from keras_segformer.image_formats import (
    MAX_PIXELS_VARIABLE,
    PLUGIN_SUFFIXES,
    band_assumption,
    check_regular_file,
    frame_assumption,
    open_image,
    readable_formats,
    readable_suffixes,
)

__all__ = ["FoundImages", "ImageSource", "ReadImage", "find_images", "list_images", "load_image", "read_image"]

ImageSource = str | os.PathLike[str] | Image.Image | np.ndarray

# Modes of more than 8 bits, whose values Pillow would clip at 255 on the way to RGB; `I` is another.
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "F")
# Where most of a fourth band is neither opaque nor transparent, it is not transparency.
_SOFT_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class ReadImage:
    """A picture, and what had to be assumed to read it.

    Args:
        pixels: `(H, W, 3)`, RGB, uint8.
        transparent: `(H, W)`, bool, true where the file is more transparent than opaque; `None` if it is opaque.
        assumptions: How an ambiguous file was read, each as the predicate of a sentence about the picture.
        doubts: Those of the assumptions that may well be wrong.
    """

    pixels: np.ndarray
    transparent: np.ndarray | None = None
    assumptions: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def load_image(source: ImageSource, bit_depth: int | None = None) -> np.ndarray:
    """Reads an image as RGB on the scale 0..255.

    Files and PIL images are taken in every mode that Pillow converts to RGB, and turned upright by their EXIF
    orientation; of an animated file the first frame counts. Values of 16 bits are scaled by `bit_depth`, or by what
    the file states; values of mode `F` are on the scale 0..255. Transparent pixels are laid over white, as a page
    would show them: the colour stored under full transparency is arbitrary and was never meant to be seen.

    Args:
        source: Path of an image file, PIL image, or array `(H, W)`, `(H, W, 1)`, `(H, W, 3)` (RGB) or
            `(H, W, 4)` (RGBA); tensors that NumPy can read are arrays too. Arrays of uint16 have 16 bits a channel,
            all other integers and floats are on the scale 0..255; floats are rounded.
        bit_depth: How many bits of 16 count: cameras and scanners store 10, 12 or 14 in files of 16. By default what
            the file states, else 16.

    Returns:
        A new array `(H, W, 3)`, uint8.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidImageError: The file is broken, is not an image of a known format or has more pixels than Pillow's guard
            against decompression bombs allows; or values of 16 bits look like fewer and nothing says which; or the
            array has a wrong shape, a wrong dtype, or values that are not finite or out of range.
        ValueError: `bit_depth` is out of range.

    Warns:
        UserWarning: All values are floats up to 1, which look to be on another scale; or the fourth band of a
            TIFF file, marked as transparency, looks like something else and is left out.

    Example:

    >>> load_image(np.full((2, 2), 65535, dtype=np.uint16))[0, 0]
    array([255, 255, 255], dtype=uint8)
    """
    image, what = _read(source, bit_depth)
    for doubt in image.doubts:
        warnings.warn(f"{what} {doubt}", UserWarning, stacklevel=2)
    return image.pixels


def read_image(source: ImageSource, bit_depth: int | None = None) -> ReadImage:
    """Reads an image as `load_image` does, and reports transparency and assumptions.

    Args:
        source: As for `load_image`.
        bit_depth: As for `load_image`.

    Returns:
        The picture.

    Raises:
        FileNotFoundError: There is no such file; other errors are those of `load_image`.
        InvalidImageError: The picture cannot be read.

    Example:

    >>> read_image(np.zeros((2, 2, 3), np.uint8)).assumptions
    ()
    """
    return _read(source, bit_depth)[0]


def _read(source: ImageSource, bit_depth: int | None) -> tuple[ReadImage, str]:
    """A picture, and how messages call it."""
    check_bit_depth(bit_depth)
    if isinstance(source, Image.Image):
        what, read = "the PIL image", _read_pillow
    elif isinstance(source, (str, os.PathLike)):
        what, read = f"'{os.fspath(source)}'", _read_file
    else:
        what, read = "the image array", _read_array
    return read(source, what, bit_depth), what


@dataclasses.dataclass(frozen=True)
class FoundImages:
    """The files that an argument stands for.

    Args:
        images: The image files, sorted.
        left_aside: Other files and folders in that place, which are not read, sorted.
    """

    images: tuple[Path, ...]
    left_aside: tuple[Path, ...] = ()


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
    return list(list_images(pattern).images)


def list_images(pattern: str | os.PathLike[str]) -> FoundImages:
    """Lists the image files as `find_images` does, and the files that are not read.

    Args:
        pattern: As for `find_images`.

    Returns:
        The images, and other files and folders beside them. Hidden ones are not listed.

    Raises:
        FileNotFoundError: There is no such image.

    Example:

    ```python
    found = list_images("holiday")
    ```
    """
    path = Path(pattern)
    if path.exists() and not path.is_dir():
        return FoundImages((path,))
    candidates = matching_paths(pattern)
    suffixes = readable_suffixes() | set(PLUGIN_SUFFIXES)
    images = sorted(file for file in candidates if file.suffix.lower() in suffixes and file.is_file())
    if not images:
        raise FileNotFoundError(
            f"no image found at '{pattern}'; name an image file, a folder that holds some, or a glob such as "
            f"'photos/*.jpg'"
        )
    return FoundImages(tuple(images), tuple(sorted(set(candidates) - set(images))))


def matching_paths(pattern: str | os.PathLike[str]) -> list[Path]:
    """Lists what is in a folder or fits a glob pattern, in any order.

    Args:
        pattern: The folder or the pattern.

    Returns:
        The files and folders, but for hidden ones.
    """
    path = Path(pattern)
    if path.is_dir():  # hidden files, such as macOS' "._photo.jpg", are not pictures; globs leave them out as well
        return [file for file in path.iterdir() if not file.name.startswith(".")]
    # Path.glob takes no absolute patterns.
    return list(map(Path, glob.glob(str(pattern), recursive=True)))


def _read_file(source: str | os.PathLike[str], what: str, bit_depth: int | None) -> ReadImage:
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {what}; check the path and the working folder")
    check_regular_file(path, what)
    # Opened here, because files that Pillow opens by name it may map into memory, and mapped grey TIFF files that are
    # to be turned by 90° come out garbled (Pillow 13.0).
    with _named_errors(what), path.open("rb") as file, open_image(file) as image:
        return _read_pillow(image, what, bit_depth)


def _read_pillow(image: Image.Image, what: str, bit_depth: int | None) -> ReadImage:
    with _named_errors(what):
        stated = stated_bits(image)
        depth = bit_depth or stated
        assumptions, is_tiff = (*frame_assumption(image), *band_assumption(image)), image.format == "TIFF"
        if is_deep_colour(image):
            deep = _deep_colours(image, depth, what)
            if deep is not None:
                image, assumptions = deep, (*assumptions, depth_assumption(depth or 16))
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("I", *_DEEP_MODES):
            values = np.asarray(upright)
            if upright.mode == "I":
                values = _as_uint16(values, what)
            if upright.mode == "F":
                doubts = _doubts_of_scale(values)
                return ReadImage(_to_rgb(values, what), assumptions=(*assumptions, *doubts), doubts=doubts)
            values = scale_to_bytes(values, depth, what)
            return ReadImage(_to_rgb(values, what), assumptions=(*assumptions, depth_assumption(depth or 16)))
        return _without_transparency(upright, assumptions, what, is_tiff=is_tiff)


def _deep_colours(image: Image.Image, bit_depth: int | None, what: str) -> Image.Image | None:
    """A colour picture of 16 bits a channel scaled to 8; `None` where Pillow's own reading, the upper 8, is right."""
    file, position = image.fp, image.fp.tell()
    file.seek(0)
    content = file.read()
    file.seek(position)
    values = deep_colours(content, readable_formats())
    if values is None:
        high = int(np.asarray(image)[..., : len(image.getbands()) - image.has_transparency_data].max(initial=0))
        if bit_depth in (None, 16) and high >= 64:
            return None
        raise InvalidImageError(f"{what} is a colour picture of 16 bits in a layout that is not read; save it with 8")
    colours = scale_to_bytes(values[..., :3], bit_depth, what)
    if values.shape[2] == 4:
        # Transparency fills its 16 bits whatever the colours do.
        colours = np.dstack([colours, (values[..., 3] >> 8).astype(np.uint8)])
    result = Image.fromarray(colours)
    result.info.update({key: value for key, value in image.info.items() if key in ("exif",)})
    return result


def _without_transparency(
    image: Image.Image, assumptions: tuple[str, ...], what: str, is_tiff: bool = False
) -> ReadImage:
    """A PIL image of 8 bits a channel over white; what TIFF files mark as transparency may be another band."""
    if not image.has_transparency_data:
        return ReadImage(_to_rgb(np.array(image.convert("RGB")), what), assumptions=assumptions)
    layer = image.convert("RGBA")
    if layer.width * layer.height == 0:
        return ReadImage(_to_rgb(np.asarray(layer), what))
    alpha = np.asarray(layer.getchannel("A"))
    if is_tiff and np.mean((alpha > 0) & (alpha < 255)) > _SOFT_SHARE:
        dropped = (
            "has a fourth band that is marked as transparency but varies like a picture, such as near infrared; it is "
            "left out"
        )
        pixels = np.asarray(layer)[..., :3].copy()
        return ReadImage(pixels, assumptions=(*assumptions, dropped), doubts=(dropped,))
    if alpha.min() == 255:
        return ReadImage(np.asarray(layer)[..., :3].copy(), assumptions=assumptions)
    page = Image.new("RGBA", layer.size, "white")
    share = np.mean(alpha < 255)
    return ReadImage(
        np.array(Image.alpha_composite(page, layer).convert("RGB")),
        alpha < 128,
        (*assumptions, f"is transparent in {share:.1%} of its pixels, which are seen over white"),
    )


def _read_array(source: Any, what: str, bit_depth: int | None) -> ReadImage:
    if not hasattr(source, "__array__"):
        raise InvalidImageError(
            f"an image is a path, a PIL image or an array; got {type(source).__name__}: convert lists with "
            f"numpy.asarray, open bytes with PIL.Image.open(io.BytesIO(...))"
        )
    try:
        array = np.asarray(source)
    except Exception as error:  # each framework has its own, such as for tensors without values or on a device
        raise InvalidImageError(f"{what} cannot be converted to a NumPy array ({error}); convert it") from error
    _check_layout(array, what)
    assumptions = doubts = _doubts_of_scale(array)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        array, assumptions = scale_to_bytes(array, bit_depth, what), (depth_assumption(bit_depth or 16),)
    if array.ndim == 3 and array.shape[2] == 4:
        image = _without_transparency(Image.fromarray(_to_uint8(array, what)), assumptions, what)
        return dataclasses.replace(image, doubts=doubts)
    return ReadImage(_to_rgb(array, what), assumptions=assumptions, doubts=doubts)


@contextlib.contextmanager
def _named_errors(what: str) -> Iterator[None]:
    """Turns every exception that Pillow may raise about an image into one whose message names the remedy."""
    try:
        yield
    except (InvalidImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise InvalidImageError(
            f"{what} is larger than Pillow's guard against decompression bombs allows; if you trust it, raise the "
            f"limit with --max-image-pixels, {MAX_PIXELS_VARIABLE} or PIL.Image.MAX_IMAGE_PIXELS ({error})"
        ) from error
    except UnidentifiedImageError as error:
        if what.rstrip("'").lower().endswith(PLUGIN_SUFFIXES):
            raise InvalidImageError(
                f'{what} needs the HEIF plug-in of Pillow; install it with pip install "keras-segformer[heif]", or '
                "save the picture as PNG or JPEG"
            ) from error
        raise InvalidImageError(f"{what} is not an image of a format that is read; save it as PNG or JPEG") from error
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


def _to_rgb(array: np.ndarray, what: str) -> np.ndarray:
    _check_layout(array, what)
    values = _to_uint8(array, what)
    if values.ndim == 2:
        values = values[:, :, np.newaxis]
    return values if values.shape[2] == 3 else np.repeat(values, 3, axis=2)


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
    if np.rint(low) < 0 or np.rint(high) > 255:
        raise InvalidImageError(f"{what} must have values in 0..255; got {low} to {high}: rescale or clip them")
    return (np.rint(array) if is_float else array).astype(np.uint8, order="C")


def _doubts_of_scale(values: np.ndarray) -> tuple[str, ...]:
    """What is assumed of floats that look to be on another scale than 0..255."""
    if values.dtype.kind != "f" or not 0 < (high := values.max(initial=0)) <= 1:
        return ()
    return (
        f"is read on the scale 0..255, but its largest value is {high}; if it is on a smaller scale, "
        "multiply it by 255",
    )


def __dir__() -> list[str]:
    return list(__all__)
