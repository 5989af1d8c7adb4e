"""Golden data for the Android app's core: camera frames, images and label maps with the expected results.

    python android_demo/tools/golden_frames.py

writes the files in `android_demo/core/src/test/resources/golden`, which the tests of both languages read:
`frames.json`, `labels.json` and `steady.json` contain the offsets into the `.bin` files.

The implementation is independent of the Kotlin code: it rotates whole planes and multiplies them by interpolation
matrices in double precision, derives the colour conversion from the two luma weights of the standard, and upsamples
one-hot maps for the borders of classes, and adds the votes of labels over time as fractions.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

GOLDEN = Path(__file__).parents[1] / "core/src/test/resources/golden"
PADDING = (124, 116, 104)

# Luma weights of red and blue, and whether the range is limited (black is 16), of ITU-R BT.601 and BT.709.
_STANDARDS = {
    "BT601_FULL": (0.299, 0.114, False),
    "BT601_LIMITED": (0.299, 0.114, True),
    "BT709_FULL": (0.2126, 0.0722, False),
    "BT709_LIMITED": (0.2126, 0.0722, True),
}
# Rounding may decide if the two best classes of a pixel differ by less.
_UNDECIDED_MARGIN = 0.004
_UNDECIDED_VOTES = Fraction(1, 100_000)
UNDECIDED = 1  # a colour that is not used otherwise


class Geometry(NamedTuple):
    """Mapping from a frame to the tensor; sides in pixels.

    Args:
        size: `(width, height)` of the frame as delivered by the camera.
        tensor: `(width, height)` of the model's input.
        rotation: Clockwise rotation that makes the frame upright, in degrees.
        mirror: True to flip the upright frame horizontally.
        framing: `"CROP"` or `"FIT"`.
    """

    size: tuple[int, int]
    tensor: tuple[int, int]
    rotation: int
    mirror: bool
    framing: str

    def boxes(self) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """Returns `(left, top, right, bottom)` of the visible part of the upright frame, and of its target."""
        width, height = self.size if self.rotation % 180 == 0 else self.size[::-1]
        across, down = self.tensor[0] / width, self.tensor[1] / height
        if self.framing == "CROP":
            seen = np.array(self.tensor) / max(across, down)
            start = (np.array([width, height]) - seen) / 2
            return (*start, *(start + seen)), (0, 0, *self.tensor)
        scale = min(across, down)
        size = np.maximum(1, np.floor(np.array([width, height]) * scale + 0.5).astype(int))
        left, top = (np.array(self.tensor) - size) // 2
        return (0, 0, width, height), (left, top, left + size[0], top + size[1])


def rotated(array: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Returns an array `(height, width)` of the frame, upright."""
    upright = np.rot90(array, -geometry.rotation // 90)
    return np.fliplr(upright) if geometry.mirror else upright


def sampled(plane: np.ndarray, geometry: Geometry, subsampling: int = 1) -> np.ndarray:
    """Resamples a plane `(rows, columns)` to the content of the tensor `(height, width)`, float64."""
    rows, columns = np.indices(plane.shape)
    width, height = geometry.size
    # Positions of the sample centres in the upright frame, as complex numbers.
    centres = rotated(subsampling * (columns + 0.5) + 1j * subsampling * (rows + 0.5), geometry)
    corners = rotated(np.array([[0, width], [1j * height, width + 1j * height]]), geometry)
    # Along an upright row, either x or y changes: take the distance from the first corner.
    along_row = _component(centres[0] - corners[0, 0], corners[0, 1] - corners[0, 0])
    along_column = _component(centres[:, 0] - corners[0, 0], corners[1, 0] - corners[0, 0])
    (left, top, right, bottom), content = geometry.boxes()
    across = _hat_weights(left, right, content[2] - content[0], along_row)
    down = _hat_weights(top, bottom, content[3] - content[1], along_column)
    return down @ rotated(plane, geometry).astype(np.float64) @ across.T


def _component(vectors: np.ndarray, direction: complex) -> np.ndarray:
    return (vectors * np.conj(direction)).real / abs(direction)


def _hat_weights(start: float, end: float, count: int, centres: np.ndarray) -> np.ndarray:
    """Returns the weights `(count, samples)` of linear interpolation with replicated edge samples."""
    places = start + (np.arange(count) + 0.5) * (end - start) / count
    return np.stack([np.interp(places, centres, unit) for unit in np.eye(len(centres))], axis=1)


def to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray, encoding: str) -> np.ndarray:
    """Converts planes of the same size to RGB `(..., 3)`, uint8."""
    red, blue, is_limited = _STANDARDS[encoding]
    luma = (y - 16) * 255 / 219 if is_limited else y
    scale = 255 / 224 if is_limited else 1.0
    from_v = 2 * (1 - red) * (v - 128) * scale
    from_u = 2 * (1 - blue) * (u - 128) * scale
    green = luma - (red * from_v + blue * from_u) / (1 - red - blue)
    return _rounded(np.stack([luma + from_v, green, luma + from_u], axis=-1))


def framed(content: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Returns the tensor `(height, width, 3)`, uint8, including padding."""
    tensor = np.full((geometry.tensor[1], geometry.tensor[0], 3), PADDING, np.uint8)
    left, top, right, bottom = geometry.boxes()[1]
    tensor[top:bottom, left:right] = content
    return tensor


def frame_to_input(planes: list[np.ndarray], geometry: Geometry, encoding: str) -> np.ndarray:
    """Computes the model's input `(height, width, 3)`, uint8, of a frame.

    Args:
        planes: Luma `(H, W)` and two of chroma `(⌈H/2⌉, ⌈W/2⌉)`, uint8.
        geometry: Sizes, rotation and framing.
        encoding: One of `_STANDARDS`.
    """
    y, u, v = (sampled(plane, geometry, step) for plane, step in zip(planes, (1, 2, 2), strict=True))
    return framed(to_rgb(y, u, v, encoding), geometry)


def picture_to_input(rgba: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Computes the model's input `(height, width, 3)`, uint8, of an image `(H, W, 4)`, uint8, over white."""
    page = Image.new("RGBA", geometry.size, "white")
    rgb = np.asarray(Image.alpha_composite(page, Image.fromarray(rgba)))[..., :3]
    channels = [sampled(rgb[..., channel], geometry) for channel in range(3)]
    return framed(_rounded(np.stack(channels, axis=-1)), geometry)


def upsampled_classes(labels: np.ndarray, size: tuple[int, int], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the argmax `(height, width)` of the bilinearly upsampled one-hot map, and its margin.

    Args:
        labels: `(h, w)`, integers below `count`.
        size: `(width, height)`.
        count: Number of classes.
    """
    maps = np.eye(count)[labels]
    rows, columns = labels.shape
    down = _hat_weights(0, rows, size[1], np.arange(rows) + 0.5)
    across = _hat_weights(0, columns, size[0], np.arange(columns) + 0.5)
    weights = np.einsum("ij,jkc,lk->ilc", down, maps, across)
    best = np.sort(weights, axis=-1)
    return weights.argmax(axis=-1), best[..., -1] - best[..., -2]


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.floor(values.clip(0, 255) + 0.5).astype(np.uint8)


class Store:
    """Concatenates byte strings and records their offsets."""

    def __init__(self) -> None:
        self.content = bytearray()

    def add(self, piece: bytes) -> dict[str, int]:
        """Appends bytes and returns their place."""
        self.content += piece
        return {"offset": len(self.content) - len(piece), "length": len(piece)}


def _frame_cases() -> Iterator[tuple[Geometry, str, str]]:
    """Yields geometry, layout of the planes, and encoding."""
    sizes = [((37, 29), (24, 20)), ((16, 12), (33, 33)), ((21, 40), (16, 12))]
    layouts = itertools.cycle(["planar", "padded", "interleaved", "sparse"])
    encodings = itertools.cycle([*["BT601_FULL"] * 3, *list(_STANDARDS)[1:]])
    for (size, tensor), rotation, mirror, framing in itertools.product(
        sizes, (0, 90, 180, 270), (False, True), ("CROP", "FIT")
    ):
        yield Geometry(size, tensor, rotation, mirror, framing), next(layouts), next(encodings)
    # Planes with a single sample, and frames that are enlarged in only one direction.
    for size, tensor in (((1, 1), (4, 4)), ((2, 3), (5, 2)), ((3, 64), (32, 4)), ((64, 3), (4, 32))):
        for framing in ("CROP", "FIT"):
            yield Geometry(size, tensor, 90, True, framing), "sparse", "BT601_FULL"


def _planes(generator: random.Random, size: tuple[int, int]) -> list[np.ndarray]:
    """Returns noise, which reveals any wrong sample."""
    width, height = size
    shapes = [(height, width)] + 2 * [((height + 1) // 2, (width + 1) // 2)]
    return [np.frombuffer(generator.randbytes(h * w), np.uint8).reshape(h, w) for h, w in shapes]


def _laid_out(plane: np.ndarray, pixel_stride: int, padding: int) -> tuple[bytes, int]:
    """Returns a plane in memory and its row stride. Gaps contain 85; the last row ends with its last sample."""
    rows, columns = plane.shape
    row_stride = (columns - 1) * pixel_stride + 1 + padding
    memory = np.full((rows, row_stride), 85, np.uint8)
    memory[:, : (columns - 1) * pixel_stride + 1 : pixel_stride] = plane
    return memory.tobytes()[: memory.size - padding], row_stride


def _stored_planes(store: Store, planes: list[np.ndarray], layout: str) -> list[dict[str, int]]:
    if layout == "interleaved":
        y, u, v = planes
        pairs = np.stack([v, u], axis=-1).reshape(u.shape[0], -1)
        chroma, stride = _laid_out(pairs, 1, 5)
        place = store.add(chroma)
        length = place["length"] - 1
        common = {"length": length, "row_stride": stride, "pixel_stride": 2}
        luma, luma_stride = _laid_out(y, 1, 3)
        return [
            store.add(luma) | {"row_stride": luma_stride, "pixel_stride": 1},
            {"offset": place["offset"] + 1} | common,
            {"offset": place["offset"]} | common,
        ]
    pixel_stride, padding = {"planar": (1, 0), "padded": (1, 7), "sparse": (3, 2)}[layout]
    laid_out = [_laid_out(plane, pixel_stride, padding) for plane in planes]
    return [store.add(memory) | {"row_stride": stride, "pixel_stride": pixel_stride} for memory, stride in laid_out]


def make_frames() -> tuple[dict[str, Any], bytes]:
    """Returns the contents of `frames.json` and `frames.bin`."""
    generator = random.Random(20)
    store = Store()
    frames, pictures = [], []
    for geometry, layout, encoding in _frame_cases():
        planes = _planes(generator, geometry.size)
        stored = _stored_planes(store, planes, layout)
        expected = store.add(frame_to_input(planes, geometry, encoding).tobytes())
        case = geometry._asdict() | {"layout": layout, "encoding": encoding}
        frames.append(case | dict(zip("yuv", stored, strict=True)) | {"expected": expected})
    for rotation, mirror, framing in itertools.product((0, 90, 180, 270), (False, True), ("CROP", "FIT")):
        geometry = Geometry((19, 13), (15, 18), rotation, mirror, framing)
        rgba = np.frombuffer(generator.randbytes(19 * 13 * 4), np.uint8).reshape(13, 19, 4)
        argb = rgba[..., [2, 1, 0, 3]].tobytes()  # little-endian words
        pixels, expected = store.add(argb), store.add(picture_to_input(rgba, geometry).tobytes())
        pictures.append(geometry._asdict() | {"pixels": pixels, "expected": expected})
    return {"frames": frames, "pictures": pictures}, bytes(store.content)


def make_labels() -> tuple[dict[str, Any], bytes]:
    """Returns the contents of `labels.json` and `labels.bin`."""
    generator = random.Random(21)
    palette = [[generator.randrange(256) for _ in range(3)] for _ in range(7)]
    ignore_index = 255
    store = Store()
    maps = []
    for (width, height), size, opacity in (
        ((16, 12), (64, 48), 1.0),
        ((9, 7), (72, 28), 0.5),
        ((13, 11), (40, 57), 0.25),
        ((8, 8), (8, 8), 0.0),
        ((1, 5), (6, 20), 0.7),
    ):
        # Patches as in label maps, some of which are ignored.
        coarse = [[generator.randrange(8) for _ in range(width // 3 + 1)] for _ in range(height // 3 + 1)]
        classes = np.kron(np.array(coarse), np.ones((3, 3), int))[:height, :width]
        winners, margin = upsampled_classes(classes, size, 8)
        colors = np.array([[*rgb, int(np.floor(opacity * 255 + 0.5))] for rgb in palette] + [[0, 0, 0, 0]], np.uint8)
        argb = colors[winners][..., [2, 1, 0, 3]].copy().view("<u4")[..., 0]
        is_exact = (
            size[0] % width == 0 and size[1] % height == 0 and not {size[0] // width, size[1] // height} - {1, 2, 4, 8}
        )
        if not is_exact:
            argb[margin < _UNDECIDED_MARGIN] = UNDECIDED
        labels = np.where(classes == 7, ignore_index, classes)
        maps.append(
            {
                "map": (width, height),
                "size": size,
                "opacity": opacity,
                "labels": store.add(labels.astype("<i4").tobytes()),
                "expected": store.add(argb.tobytes()),
                "counts": np.bincount(classes.ravel(), minlength=8)[:7].tolist(),
            }
        )
    return {"palette": palette, "ignore_index": ignore_index, "undecided": UNDECIDED, "maps": maps}, bytes(
        store.content
    )


def steady_labels(frames: np.ndarray, weight: Fraction, count: int) -> np.ndarray:
    """Returns the labels of the exponential mean of the votes, computed exactly.

    Args:
        frames: Labels `(T, h, w)` below `count`.
        weight: Weight of the frames before, 0 to below 1.
        count: Number of classes.
    """
    mean = np.vectorize(Fraction)(np.eye(count, dtype=int)[frames[0]])  # (h, w, count)
    shown = [frames[0]]
    for labels in frames[1:]:
        mean = mean * weight + np.eye(count, dtype=int)[labels] * (1 - weight)
        best = np.sort(mean, axis=-1)
        ahead = best[..., -1] - best[..., -2]
        assert not ((ahead > 0) & (ahead < _UNDECIDED_VOTES)).any(), "rounding may decide; choose another seed"
        shown.append(mean.argmax(axis=-1))
    return np.stack(shown)


def make_steady() -> tuple[dict[str, Any], bytes]:
    """Returns the contents of `steady.json` and `steady.bin`: label maps of videos, and the smoothed ones."""
    generator = random.Random(22)
    store = Store()
    cases = []
    for weight, (width, height), classes in (
        ("3/5", (8, 6), 5),
        ("1/2", (5, 7), 3),
        ("4/5", (6, 6), 4),
        ("0", (4, 3), 3),
    ):
        usual = np.array([[generator.randrange(classes) for _ in range(width)] for _ in range(height)])
        frames = []
        for number in range(16):
            if number == 8:  # the scene changes
                usual = np.roll(usual, 1)
            noise = [[generator.randrange(classes) for _ in range(width)] for _ in range(height)]
            flickers = [[generator.random() < 0.3 for _ in range(width)] for _ in range(height)]
            frames.append(np.where(flickers, noise, usual))
        expected = steady_labels(np.stack(frames), Fraction(weight), classes)
        maps = {"labels": frames, "expected": list(expected)}
        stored = {name: [store.add(each.astype("<i4").tobytes()) for each in values] for name, values in maps.items()}
        cases.append({"weight": float(Fraction(weight)), "classes": classes, "map": (width, height)} | stored)
    return {"cases": cases}, bytes(store.content)


def write(folder: Path) -> None:
    """Writes all six files to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (description, content) in (
        ("frames", make_frames()),
        ("labels", make_labels()),
        ("steady", make_steady()),
    ):
        (folder / f"{name}.json").write_text(json.dumps(description) + "\n")
        (folder / f"{name}.bin").write_bytes(content)


def main() -> None:
    """Writes the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=GOLDEN, help="output folder (default: %(default)s)")
    folder = parser.parse_args().output
    write(folder)
    print(f"{folder}: {sum(file.stat().st_size for file in folder.iterdir()) // 1024} KB")


if __name__ == "__main__":
    main()
