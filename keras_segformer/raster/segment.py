"""From a GeoTIFF file to the GeoTIFF file of its labels."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.bit_depth import depth_assumption, scale_to_bytes
from keras_segformer.errors import InvalidImageError, MissingExtraError
from keras_segformer.files import atomic_file
from keras_segformer.label_sets import LabelSet
from keras_segformer.predict.sizes import Size
from keras_segformer.raster.windows import SIDES, Window, block_side, windows

_CACHE = 64  # MB of blocks that GDAL keeps; its default is a twentieth of the memory
_MAX_PALETTE = 256


@dataclasses.dataclass(frozen=True)
class SegmentedRaster:
    """What was found in a raster.

    Args:
        size: Its `(height, width)`.
        pixels: How many pixels every class has, `(classes,)`.
        assumptions: What was assumed to read it, each as the predicate of a sentence about it.
    """

    size: Size
    pixels: np.ndarray
    assumptions: tuple[str, ...]


def segment_raster(
    path: Path,
    output: Path,
    segment: Callable[[np.ndarray], np.ndarray],
    label_set: LabelSet,
    bit_depth: int | None = None,
    sides: Size = SIDES,
    progress: Callable[[int], Callable[[], None]] = lambda steps: lambda: None,
) -> SegmentedRaster:
    """Segments a raster window by window; memory does not grow with its size.

    The red, green and blue bands are seen, or the first three where the file does not say which those are, or the only
    one. Windows without data are left out.

    Args:
        path: The file.
        output: The GeoTIFF file to write, with the coordinate system of the raster: class indices, and
            `label_set.ignore_index` as "no data" where the raster has none.
        segment: Finds the labels `(H, W)` of a window `(H, W, 3)`, uint8, of `sides` or, in a smaller raster, less.
        label_set: Names and colours of the classes.
        bit_depth: How many bits count in bands of 16.
        sides: `(height, width)` of the windows in pixels.
        progress: Called with the number of windows; what it returns is called after each.

    Returns:
        Its size, the areas of the classes, and what was assumed.

    Raises:
        InvalidImageError: It cannot be read, or has bands of another type.
        MissingExtraError: rasterio is not installed.
        OSError: The disk is full.
        ValueError: The logits are not finite, or windows are smaller than 32x32 pixels.

    Example:

    ```python
    segment_raster(Path("scene.tif"), Path("labels.tif"), model.segment, model.label_set)
    ```
    """
    try:
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
    except ImportError as error:
        raise MissingExtraError("rasterio", "geo") from error
    try:
        with (
            # Of files without a place, the temporary one included; below, the user's file is named.
            warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning),
            rasterio.Env(GDAL_CACHEMAX=_CACHE),
            rasterio.open(path) as raster,
            atomic_file(output) as temporary,
        ):
            bands = _bands(raster, path, bit_depth)
            assumptions = _assumptions(raster, bands, bit_depth)
            with rasterio.open(temporary, "w", **_profile(raster, label_set, sides)) as target:
                if target.dtypes[0] == "uint8":
                    colors = {index: (*color, 255) for index, color in enumerate(label_set.palette)}
                    target.write_colormap(1, colors)
                target.update_tags(**{f"CLASS_{index}": name for index, name in enumerate(label_set.names)})
                pixels = np.zeros(label_set.num_classes, np.int64)
                places = list(windows(raster.shape, sides))
                advance = progress(len(places))
                for place in places:
                    labels = _labels(raster, bands, place, segment, label_set, bit_depth, path)
                    if labels is not None:
                        target.write(
                            labels.astype(target.dtypes[0]), 1, window=_span(place.kept_rows, place.kept_columns)
                        )
                        known = labels[labels != label_set.ignore_index]
                        pixels += np.bincount(known, minlength=len(pixels))
                    advance()
            return SegmentedRaster(raster.shape, pixels, assumptions)
    except RasterioError as error:
        raise InvalidImageError(f"'{path}' cannot be read as a raster ({error}); save it again as GeoTIFF") from error


def _labels(
    raster: Any,
    bands: list[int],
    place: Window,
    segment: Callable[[np.ndarray], np.ndarray],
    label_set: LabelSet,
    bit_depth: int | None,
    path: Path,
) -> np.ndarray | None:
    """The labels that a window keeps; `None` where it has no data."""
    window = _span(place.rows, place.columns)
    has_data = raster.dataset_mask(window=window) > 0  # (H, W)
    if not has_data[place.kept].any():
        return None
    values = raster.read(bands, window=window)  # (bands, H, W)
    if values.dtype == np.uint16:
        values = scale_to_bytes(values, bit_depth, f"'{path}'")
    seen = np.ascontiguousarray(np.broadcast_to(values, (3, *values.shape[1:])).transpose(1, 2, 0))  # (H, W, 3)
    labels = segment(seen)[place.kept]
    return np.where(has_data[place.kept], labels, label_set.ignore_index)


def _bands(raster: Any, path: Path, bit_depth: int | None) -> list[int]:
    bands = _stated_colors(raster) or ([1, 2, 3] if raster.count >= 3 else [1])
    kinds = {raster.dtypes[band - 1] for band in bands}
    if kinds == {"uint16"} and bit_depth is None:
        raise InvalidImageError(f"'{path}' has 16 bits a band; say how many of them count with --bit-depth")
    if kinds not in ({"uint8"}, {"uint16"}):
        raise InvalidImageError(f"'{path}' has bands of type {', '.join(sorted(kinds))}; scale them to 8 bits")
    return bands


def _stated_colors(raster: Any) -> list[int]:
    """The red, green and blue band; none if the file does not say which those are."""
    from rasterio.enums import ColorInterp

    colors = [ColorInterp.red, ColorInterp.green, ColorInterp.blue]
    return [raster.colorinterp.index(color) + 1 for color in colors if set(colors) <= set(raster.colorinterp)]


def _assumptions(raster: Any, bands: list[int], bit_depth: int | None) -> tuple[str, ...]:
    from rasterio.enums import ColorInterp

    found = []
    if raster.crs is None:
        found.append("has no coordinate system, and neither have its labels")
    if raster.dtypes[bands[0] - 1] == "uint16":
        found.append(depth_assumption(bit_depth))
    if len(bands) == 3 and not _stated_colors(raster):
        which = f"which of its {raster.count} bands are red, green and blue"
        found.append(f"does not say {which}; the first three are seen")
    elif raster.count - list(raster.colorinterp).count(ColorInterp.alpha) > len(bands):
        seen = "red, green and blue are" if len(bands) == 3 else "the first is"
        found.append(f"has {raster.count} bands, of which {seen} seen")
    return tuple(found)


def _profile(raster: Any, label_set: LabelSet, sides: Size) -> dict[str, Any]:
    """What the file of labels is to be: placed as the raster is, tiled and compressed."""
    has_palette = max(label_set.num_classes - 1, label_set.ignore_index) < _MAX_PALETTE
    return {
        "driver": "GTiff",
        "height": raster.height,
        "width": raster.width,
        "count": 1,
        "dtype": "uint8" if has_palette else "uint16",
        "nodata": label_set.ignore_index,
        "crs": raster.crs,
        "transform": raster.transform,
        "tiled": True,
        "blockysize": block_side(sides[0]),
        "blockxsize": block_side(sides[1]),
        "compress": "deflate",
        "sparse_ok": True,
        "bigtiff": "if_safer",
    }


def _span(rows: slice, columns: slice) -> Any:
    from rasterio.windows import Window as RasterWindow

    return RasterWindow.from_slices(rows, columns)
