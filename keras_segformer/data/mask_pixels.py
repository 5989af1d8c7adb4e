"""The raw pixels of mask files, before they are mapped to classes."""

from __future__ import annotations

import dataclasses
import functools
import math
import struct
import zlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from PIL import Image

from keras_segformer.data.file_budgets import open_dataset_image
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.image_formats import UPRIGHT, band_assumption, stored_orientation

Kind = Literal["grey", "one bit", "palette", "colour"]
"""Grey values, black and white in one bit, indices into a palette, or colours."""

_FORMATS = ("PNG", "GIF", "BMP", "TIFF")
_VALUE_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")
_LOSSY = ("jpeg", "tiff_jpeg", "webp")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_GREY = 0  # PNG's code of the colour type
_TIFF_BITS = 258  # the tag BitsPerSample
_TIFF_NO_DATA = 42113  # GDAL_NODATA, the value of pixels without data as text
_MAX_CLASS_VALUE = 65534  # the highest of 16 bits usually means that there are no data
_OPAQUE_FROM = 128
# Pillow counts the colours of masks much faster than NumPy, but stops at a limit.
_MAX_COUNTED = 1 << 12


@dataclasses.dataclass(frozen=True)
class MaskPixels:
    """The values or colours of a mask, each listed once.

    Args:
        kind: What the file stores.
        shape: Height and width in pixels.
        codes: Every value that occurs, in ascending order: a grey value, an index into the palette, or a colour packed
            into 24 bits; `(K,)`, int64.
        colours: The colour of each, `(K, 3)`, int64; -1 for grey values above 255 and values without a palette entry.
        counts: How many pixels have it, `(K,)`, int64.
        transparent: The number of transparent pixels, whose values are ignored.
        load: Returns the values `(H, W)` or colours `(H, W, 3)` as stored, integers. To count them needs no array.
        hidden: `(H, W)`, bool, true where pixels are transparent; `None` where the value alone decides.
    """

    kind: Kind
    shape: tuple[int, int]
    codes: np.ndarray
    colours: np.ndarray
    counts: np.ndarray
    transparent: int
    load: Callable[[], np.ndarray]
    hidden: np.ndarray | None = None

    @property
    def grey_levels(self) -> np.ndarray:
        """The value of each code whose red, green and blue are equal, `(K,)`, int64; -1 for the others."""
        red, green, blue = self.colours.T
        return np.where((red == green) & (green == blue), red, -1)

    def positions(self) -> np.ndarray:
        """Returns the index into `codes` of every pixel, `(H, W)`; -1 for transparent pixels."""
        pixels = self.load()
        if pixels.dtype == np.uint8 and pixels.ndim == 2:
            table = np.full(256, -1, np.int16)  # -1 also for the transparent entries of a palette
            table[self.codes] = np.arange(len(self.codes))
            positions = table[pixels]
        else:
            values = _packed(pixels) if pixels.ndim == 3 else pixels
            positions = np.searchsorted(self.codes, values)
        return positions if self.hidden is None else np.where(self.hidden, -1, positions)

    def survey(self) -> MaskPixels:
        """Returns a copy without pixels, which takes little memory."""
        return dataclasses.replace(self, load=_no_pixels, hidden=None)

    def without(self, hidden: np.ndarray) -> MaskPixels:
        """Returns a mask in which further pixels are transparent.

        Args:
            hidden: `(H, W)`, bool.
        """
        positions = np.where(hidden, -1, self.positions())
        transparent, *counts = np.bincount((positions + 1).ravel(), minlength=len(self.codes) + 1).tolist()
        counts = np.array(counts, np.int64)
        kept = counts > 0
        return dataclasses.replace(
            self,
            codes=self.codes[kept],
            colours=self.colours[kept],
            counts=counts[kept],
            transparent=transparent,
            hidden=positions < 0,
        )


def read_mask_pixels(data: bytes) -> MaskPixels:
    """Decodes a mask file.

    Args:
        data: The content of a PNG, GIF, BMP or TIFF file, formats that keep every value.

    Returns:
        Its pixels. Those that are more transparent than opaque count as transparent, and so do those of a GeoTIFF that
        have no data, if the value for that cannot be a class.

    Raises:
        InvalidDatasetError: It has another format, is broken, has more than one frame, or stores numbers in a way that
            loses them. The message is the predicate of a sentence about the file.

    Example:

    ```python
    pixels = read_mask_pixels(Path("masks/a.png").read_bytes())
    ```
    """
    try:
        _check_sums(data)
        with open_dataset_image(data) as image:
            _check_file(image, data)
            if image.mode == "P":
                return _from_palette(image)
            if image.mode in _VALUE_MODES:
                return _from_values(image, _grey_step(image, data))
            return _from_colours(image)
    except InvalidDatasetError:
        raise
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidDatasetError("cannot be read as a PNG, GIF, BMP or TIFF; save or download it again") from error


def _check_sums(data: bytes) -> None:
    """Raises an exception for a PNG file that ends early or whose check sums are wrong, which decoding ignores."""
    if not data.startswith(_PNG_SIGNATURE):
        return
    position, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if struct.unpack_from(">I", data, end)[0] != zlib.crc32(memoryview(data)[position + 4 : end]):
            raise ValueError(f"the check sum of the chunk {kind!r} is wrong")
        position = end + 4


def _check_file(image: Image.Image, data: bytes) -> None:
    """Refuses formats that do not keep every value, and files with several masks."""
    if image.format not in _FORMATS:
        raise InvalidDatasetError(f"is a {image.format} file; save masks as PNG, which keeps every value")
    if getattr(image, "n_frames", 1) > 1:
        raise InvalidDatasetError(f"has {image.n_frames} frames; save the one that is meant as PNG")
    for assumed in band_assumption(image):
        raise InvalidDatasetError(f"{assumed.partition(',')[0]}; save the one that holds the classes as PNG")
    if image.format == "TIFF" and image.info.get("compression") in _LOSSY:
        raise InvalidDatasetError("is a TIFF with lossy compression; save masks as PNG, which keeps every value")
    if stored_orientation(image) != UPRIGHT:
        raise InvalidDatasetError("is stored turned (EXIF orientation); save it upright, as its picture is shown")
    if image.mode not in (*_VALUE_MODES, "P", "RGB", "RGBA"):
        raise InvalidDatasetError(f"is a mask of mode {image.mode}; save it as grey, palette or RGB PNG")
    bits = image.tag_v2.get(_TIFF_BITS, (8,)) if image.format == "TIFF" else (8,)
    if image.mode in ("RGB", "RGBA") and (max(bits) == 16 or (image.format == "PNG" and data[24] == 16)):
        raise InvalidDatasetError("is a colour mask of 16 bits a channel; save it with 8 bits a channel")


def _grey_step(image: Image.Image, data: bytes) -> int:
    """The step between neighbouring values: Pillow scales grey of 1, 2 or 4 bits to 0..255."""
    if image.format == "PNG":
        bits = data[24] if data[25] == _PNG_GREY else 8
    else:
        bits = image.tag_v2.get(_TIFF_BITS, (8,))[0] if image.format == "TIFF" else 8
    return 255 // (2**bits - 1) if image.mode == "L" and bits in (2, 4) else 1


def _from_palette(image: Image.Image) -> MaskPixels:
    counts = np.array(image.histogram(), np.int64)
    is_hidden = _transparent_values(image.info.get("transparency"))
    transparent = int(counts[is_hidden].sum())
    counts[is_hidden] = 0
    codes = np.flatnonzero(counts)
    palette = np.full((256, 3), -1, np.int64)  # an index may lie behind the palette's end
    entries = np.array(image.getpalette("RGB")).reshape(-1, 3)
    palette[: len(entries)] = entries
    shape = image.height, image.width
    return MaskPixels(
        "palette", shape, codes, palette[codes], counts[codes], transparent, functools.partial(np.asarray, image)
    )


def _from_values(image: Image.Image, step: int) -> MaskPixels:
    if image.mode == "1":  # which NumPy gets as 0 and 1
        pixels = np.asarray(image).astype(np.uint8)
        # Pillow scales this value to 0..255, but not that of 2 or 4 bits.
        hidden = pixels == bool(image.info["transparency"]) if "transparency" in image.info else None
        return _from_counts("one bit", pixels, *_count(pixels, hidden), hidden, 255)
    if image.mode == "L" and "transparency" not in image.info:
        counts = np.array(image.histogram(), np.int64)[::step]
        codes, shape = np.flatnonzero(counts), (image.height, image.width)
        load = functools.partial(_divided, image, step)
        return MaskPixels("grey", shape, codes, _colours("grey", codes, step), counts[codes], 0, load)
    alpha = np.asarray(image.getchannel("A")) if image.mode == "LA" else None
    pixels = np.asarray(image.getchannel("L") if alpha is not None else image)
    if image.mode == "L":
        pixels = _divided(image, step)
    hidden = None if alpha is None else alpha < _OPAQUE_FROM
    missing = _without_data(image, pixels)
    if missing is not None:
        pixels, hidden = np.where(missing, 0, pixels), missing
    if pixels.dtype.kind == "f":
        pixels = _whole(pixels)
    if image.mode != "LA" and "transparency" in image.info:
        hidden = pixels == image.info["transparency"]
    return _from_counts("grey", pixels, *_count(pixels, hidden), hidden, step)


def _without_data(image: Image.Image, pixels: np.ndarray) -> np.ndarray | None:
    """Where a GeoTIFF says that it has no data, `(H, W)`, bool; `None` where it says nothing.

    A value that may be a class stays one, since many programs give 0, the background, as that without data.
    """
    text = str(image.tag_v2.get(_TIFF_NO_DATA, "")).strip(" \0") if image.format == "TIFF" else ""
    try:
        value = float(text)
    except ValueError:
        return None
    if 0 <= value <= _MAX_CLASS_VALUE:
        return None
    return np.isnan(pixels) if math.isnan(value) else pixels == value


def _from_colours(image: Image.Image) -> MaskPixels:
    if image.mode == "RGBA" or image.has_transparency_data:
        pixels = np.asarray(image.convert("RGBA"))
        hidden = pixels[..., 3] < _OPAQUE_FROM
        pixels = pixels[..., :3]
        return _from_counts("colour", pixels, *_count(_packed(pixels), hidden), hidden if hidden.any() else None)
    pixels = np.asarray(image)
    counted = image.getcolors(_MAX_COUNTED)
    if counted is None:
        return _from_counts("colour", pixels, *_count(_packed(pixels), None), None)
    by_code = sorted((red << 16 | green << 8 | blue, count) for count, (red, green, blue) in counted)
    codes, counts = (np.array(column, np.int64) for column in zip(*by_code, strict=True))
    return _from_counts("colour", pixels, codes, counts, None)


def _from_counts(
    kind: Kind,
    pixels: np.ndarray,
    codes: np.ndarray,
    counts: np.ndarray,
    hidden: np.ndarray | None,
    step: int = 1,
) -> MaskPixels:
    transparent = 0 if hidden is None else int(np.count_nonzero(hidden))
    shape = pixels.shape[:2]
    return MaskPixels(kind, shape, codes, _colours(kind, codes, step), counts, transparent, lambda: pixels, hidden)


def _colours(kind: Kind, codes: np.ndarray, step: int) -> np.ndarray:
    """The colours of packed colours, or of grey values whose neighbours are `step` apart in 0..255, `(K, 3)`."""
    if kind == "colour":
        return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)
    levels = codes * step
    return np.repeat(np.where(levels <= 255, levels, -1)[:, None], 3, axis=1)


def _divided(image: Image.Image, step: int) -> np.ndarray:
    """The values of a grey image, `(H, W)`, uint8, whose steps Pillow has multiplied."""
    pixels = np.asarray(image)
    return pixels if step == 1 else pixels // np.uint8(step)


def _no_pixels() -> np.ndarray:
    return np.zeros((0, 0), np.uint8)


def _count(values: np.ndarray, hidden: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The values that are not hidden, ascending, `(K,)`, and how often they occur, `(K,)`; int64."""
    shown = values.ravel() if hidden is None else values[~hidden]
    # Masks are made of areas: sorting the starts of runs is much quicker than sorting pixels.
    changes = np.flatnonzero(shown[1:] != shown[:-1]) + 1
    starts = np.concatenate([np.zeros(min(1, len(shown)), np.intp), changes])
    lengths = np.diff(starts, append=len(shown))
    codes, positions = np.unique(shown[starts], return_inverse=True)
    counts = np.bincount(positions.ravel(), weights=lengths, minlength=len(codes))
    return codes.astype(np.int64), counts.astype(np.int64)


def _packed(colours: np.ndarray) -> np.ndarray:
    """Colours `(H, W, 3)` as numbers of 24 bits, `(H, W)`, int32."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    return red.astype(np.int32) << 16 | green.astype(np.int32) << 8 | blue


def _transparent_values(transparency: Any) -> np.ndarray:
    """Which of the 256 indices of a palette are transparent, `(256,)`, bool."""
    alphas = np.full(256, 255)
    if isinstance(transparency, bytes):
        alphas[: len(transparency)] = np.frombuffer(transparency, np.uint8)
    elif transparency is not None:
        alphas[transparency] = 0
    return alphas < _OPAQUE_FROM


def _whole(values: np.ndarray) -> np.ndarray:
    """The values of a float file, which must be whole numbers, as integers."""
    broken = ~np.isfinite(values) | (values != np.rint(values)) | (np.abs(values) >= 1 << 24)
    if broken.any():
        raise InvalidDatasetError(
            f"has the value {values[broken][0]:g}, which is not a class index; save class indices as PNG"
        )
    return values.astype(np.int64)
