"""The raw pixels of mask files, before they are mapped to classes."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from PIL import Image

from keras_segformer.data.file_budgets import open_dataset_image
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.image_formats import UPRIGHT, stored_orientation

Kind = Literal["grey", "palette", "colour"]
"""Grey values, indices into a palette, or colours."""

_FORMATS = ("PNG", "GIF", "BMP", "TIFF")
_VALUE_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")
_PNG_GREY = 0  # PNG's code of the colour type
_TIFF_BITS = 258  # the tag BitsPerSample
_OPAQUE_FROM = 128
_TRANSPARENT = np.iinfo(np.int64).min  # no file has it, while TIFF files may hold -1
_LOSSY = ("jpeg", "tiff_jpeg", "webp")


@dataclasses.dataclass(frozen=True)
class MaskPixels:
    """The values or colours of a mask, each listed once.

    Args:
        kind: What the file stores.
        shape: Height and width in pixels.
        codes: Every value that occurs, in ascending order: a grey value, an index into the palette, or a colour packed
            into 24 bits; `(K,)`, int64.
        colours: The colour of each, `(K, 3)`, int64; -1 for grey values above 255.
        counts: How many pixels have it, `(K,)`, int64.
        transparent: The number of transparent pixels, whose values are ignored.
        run_codes: Position in `codes`, or -1 where transparent, of every run of equal pixels in row order.
        run_lengths: The length of each run.
    """

    kind: Kind
    shape: tuple[int, int]
    codes: np.ndarray
    colours: np.ndarray
    counts: np.ndarray
    transparent: int
    run_codes: np.ndarray
    run_lengths: np.ndarray

    @property
    def grey_levels(self) -> np.ndarray:
        """The value of each code whose red, green and blue are equal, `(K,)`, int64; -1 for the others."""
        red, green, blue = self.colours.T
        return np.where((red == green) & (green == blue), red, -1)

    def positions(self) -> np.ndarray:
        """Returns the index into `codes` of every pixel, `(H, W)`; -1 for transparent pixels."""
        return np.repeat(self.run_codes, self.run_lengths).reshape(self.shape)

    def survey(self) -> MaskPixels:
        """Returns a copy without pixel positions, which takes little memory."""
        nothing = np.zeros(0, np.int64)
        return dataclasses.replace(self, run_codes=nothing, run_lengths=nothing)

    def without(self, hidden: np.ndarray) -> MaskPixels:
        """Returns a mask in which further pixels are transparent.

        Args:
            hidden: `(H, W)`, bool.
        """
        positions = np.where(hidden, -1, self.positions())
        codes = np.append(self.codes, _TRANSPARENT)[positions]
        return _list_pixels(self.kind, codes, dict(zip(self.codes.tolist(), self.colours, strict=True)))


def read_mask_pixels(data: bytes) -> MaskPixels:
    """Decodes a mask file.

    Args:
        data: The content of a PNG, GIF, BMP or TIFF file, formats that keep every value.

    Returns:
        Its pixels. Those that are more transparent than opaque count as transparent.

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
            alpha = np.asarray(image.getchannel("A")) if "A" in image.getbands() else None
            if image.mode in _VALUE_MODES:
                values = _whole(np.asarray(image.getchannel("L") if image.mode == "LA" else image))
                return _list_pixels("grey", _hidden(values // _grey_step(image, data), alpha))
            if image.mode == "RGB" and image.has_transparency_data:
                alpha = np.asarray(image.convert("RGBA").getchannel("A"))
            red, green, blue = np.moveaxis(np.asarray(image.convert("RGB")).astype(np.int64), -1, 0)
            return _list_pixels("colour", _hidden(red << 16 | green << 8 | blue, alpha))
    except InvalidDatasetError:
        raise
    except Exception as error:  # the decoders raise many kinds: OSError, SyntaxError, ValueError, struct.error …
        raise InvalidDatasetError("cannot be read as a PNG, GIF, BMP or TIFF; save or download it again") from error


def _check_sums(data: bytes) -> None:
    """Raises an exception for a PNG file whose check sums are wrong, which decoding does not look at."""
    with open_dataset_image(data) as image:
        if image.format == "PNG":
            image.verify()


def _check_file(image: Image.Image, data: bytes) -> None:
    """Refuses formats that do not keep every value, and files with several masks."""
    if image.format not in _FORMATS:
        raise InvalidDatasetError(f"is a {image.format} file; save masks as PNG, which keeps every value")
    if getattr(image, "n_frames", 1) > 1:
        raise InvalidDatasetError(f"has {image.n_frames} frames; save the one that is meant as PNG")
    if image.format == "TIFF" and image.info.get("compression") in _LOSSY:
        raise InvalidDatasetError("is a TIFF with lossy compression; save masks as PNG, which keeps every value")
    if stored_orientation(image) != UPRIGHT:
        raise InvalidDatasetError("is stored turned (EXIF orientation); save it upright, as its picture is shown")
    if image.mode not in (*_VALUE_MODES, "P", "RGB", "RGBA"):
        raise InvalidDatasetError(f"is a mask of mode {image.mode}; save it as grey, palette or RGB PNG")
    bits = image.tag_v2.get(_TIFF_BITS, (8,)) if image.format == "TIFF" else (8,)
    if image.mode in ("RGB", "RGBA") and (max(bits) == 16 or (image.format == "PNG" and data[24] == 16)):
        raise InvalidDatasetError("is a colour mask of 16 bits a channel; save it with 8 bits a channel")


def _whole(values: np.ndarray) -> np.ndarray:
    """The values as integers; those of float files must be whole numbers."""
    if values.dtype.kind == "f":
        broken = ~np.isfinite(values) | (values != np.rint(values)) | (np.abs(values) >= 1 << 24)
        if broken.any():
            raise InvalidDatasetError(
                f"has the value {values[broken][0]:g}, which is not a class index; save class indices as PNG"
            )
    return values.astype(np.int64)


def _grey_step(image: Image.Image, data: bytes) -> int:
    """The step between neighbouring values: Pillow scales grey of 2 or 4 bits to 0..255."""
    if image.format == "PNG":
        bits = data[24] if data[25] == _PNG_GREY else 8
    else:
        bits = image.tag_v2.get(_TIFF_BITS, (8,))[0] if image.format == "TIFF" else 8
    return 255 // (2**bits - 1) if image.mode == "L" and bits in (2, 4) else 1


def _hidden(codes: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    return codes if alpha is None else np.where(alpha >= _OPAQUE_FROM, codes, _TRANSPARENT)


def _from_palette(image: Image.Image) -> MaskPixels:
    palette = dict(enumerate(np.array(image.getpalette("RGB")).reshape(-1, 3)))
    indices = np.asarray(image).astype(np.int64)
    transparency = image.info.get("transparency")
    if transparency is None:
        return _list_pixels("palette", indices, palette)
    alphas = np.full(256, 255)
    if isinstance(transparency, bytes):
        alphas[: len(transparency)] = np.frombuffer(transparency, np.uint8)
    else:
        alphas[transparency] = 0
    return _list_pixels("palette", _hidden(indices, alphas[indices]), palette)


def _list_pixels(kind: Kind, codes: np.ndarray, palette: dict[int, np.ndarray] | None = None) -> MaskPixels:
    """Lists the values of an array `(H, W)`, which is -1 where it is transparent."""
    flat = codes.ravel()
    # Masks are made of areas: sorting the starts of runs is much quicker than sorting pixels.
    starts = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1) if flat.size else np.zeros(0, np.int64)
    lengths = np.diff(np.append(starts, flat.size))
    unique, positions = np.unique(flat[starts], return_inverse=True)
    counts = np.bincount(positions, weights=lengths, minlength=len(unique)).astype(np.int64)
    transparent = 0
    if len(unique) and unique[0] == _TRANSPARENT:
        transparent, counts, unique, positions = int(counts[0]), counts[1:], unique[1:], positions - 1
    return MaskPixels(
        kind, codes.shape, unique, _colours(kind, unique, palette), counts, transparent, positions, lengths
    )


def _colours(kind: Kind, codes: np.ndarray, palette: dict[int, np.ndarray] | None) -> np.ndarray:
    if palette is not None:
        missing = np.full(3, -1)  # an index that lies behind the palette's end
        return np.array([palette.get(code, missing) for code in codes.tolist()], np.int64).reshape(-1, 3)
    if kind == "colour":
        return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)
    return np.repeat(np.where(codes <= 255, codes, -1)[:, None], 3, axis=1)
