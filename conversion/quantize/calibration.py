"""The images that quantisation is calibrated with and evaluated on."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_segformer.images import load_image
from keras_segformer.predict.interpolation import resized_rows

_MIN_IMAGES = 4
_HELD_OUT_STEP = 4  # every fourth image is held out
_MAX_HELD_OUT = 8
_SEARCH_PIXELS = 256 * 256
_MULTIPLE = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """Two disjoint sets of images, to fit to and to measure on. The second half of each holds augmented copies.

    The camera of a phone sees more than the images at hand. Ranges fitted only to those would clip the values of other
    images; the augmented copies cover lighting, distances and colours that the images do not.

    Args:
        fitting: The images that ranges and weights are fitted to, `(images, height, width, 3)`, uint8.
        held_out: The images that recipes and files are evaluated on; of the same shape and type.
        unlikely: Copies of images of `held_out` that are altered beyond what a camera sees, such as inverted ones. On
            images of another kind than those at hand, other layers are sensitive than on these; such copies tell which.
        held_out_names: Names of the images of `held_out` that are not augmented.
    """

    fitting: np.ndarray
    held_out: np.ndarray
    unlikely: np.ndarray
    held_out_names: tuple[str, ...]

    @property
    def held_out_originals(self) -> np.ndarray:
        """The images of `held_out` that are not augmented."""
        return self.held_out[: len(self.held_out) // 2]

    @property
    def size(self) -> tuple[int, int]:
        """`(height, width)` of the images."""
        return self.fitting.shape[1:3]

    def for_search(self) -> Calibration:
        """The same images with at most about 256x256 pixels.

        How sensitive a layer is and how its weights are best rounded hardly depend on the size, but the time to find it
        out does. Weights of attention are the exception: there are more of them in larger images, and each is smaller.

        Returns:
            The images, with sides that are multiples of 32 pixels; as they are if they are not larger.
        """
        height, width = self.size
        factor = math.sqrt(_SEARCH_PIXELS / (height * width))
        if factor >= 1:
            return self
        size = tuple(max(_MULTIPLE, round(factor * side / _MULTIPLE) * _MULTIPLE) for side in (height, width))
        names = ("fitting", "held_out", "unlikely")
        smaller = {name: np.stack([_resized(image, size) for image in getattr(self, name)]) for name in names}
        return dataclasses.replace(self, **smaller)


def make_calibration(images: Iterable[Any], size: tuple[int, int], bit_depth: int | None = None) -> Calibration:
    """Prepare calibration images.

    Args:
        images: Some dozen images that are similar to what the model will see, each `(H, W, 3)`, uint8, RGB, of any
            size, or the path of an image file. Copies of one count once.
        size: `(height, width)` that the images are resized to, without keeping their aspect ratio.
        bit_depth: The number of significant bits in files with 16 bits a channel, as for `load_image`.

    Returns:
        The two sets.

    Raises:
        ValueError: An image has another shape or type, there are fewer than four images, or fewer than four of them are
            of use because they are copies of one another or have only one colour.
    """
    if _is_path(images) or not (hasattr(images, "__iter__") or hasattr(images, "__getitem__")):
        raise ValueError(
            f"The calibration images are {_named(images)}; pass a list of images or paths, such as "
            "`keras_segformer.images.find_images('photos')`."
        )
    images = list(images)
    resized = [_resized(load_image(image, bit_depth) if _is_path(image) else image, size) for image in images]
    advice = f"pass at least {_MIN_IMAGES}, better some dozen, that are similar to what the model will see."
    if len(resized) < _MIN_IMAGES:
        raise ValueError(f"There are {len(resized)} calibration images; {advice}")
    names = [
        Path(image).name if _is_path(image) else f"calibration image {index}" for index, image in enumerate(images)
    ]
    # Without copies: one that is held out would be measured on what weights were fitted to.
    distinct = {image.tobytes(): index for index, image in reversed(list(enumerate(resized)))}
    names, resized = ([values[index] for index in sorted(distinct.values())] for values in (names, resized))
    useful = sum(bool(np.ptp(image, axis=(0, 1)).any()) for image in resized)
    if useful < _MIN_IMAGES:
        raise ValueError(
            f"Only {useful} of the {len(images)} calibration images can be used, because the others are copies or "
            f"have only one colour; {advice}"
        )
    held_out = resized[::_HELD_OUT_STEP][:_MAX_HELD_OUT]
    fitting = [image for index, image in enumerate(resized) if index % _HELD_OUT_STEP]
    return Calibration(
        fitting=_with_augmented(fitting, (*_LIKELY, *_UNLIKELY)),
        held_out=_with_augmented(held_out, _LIKELY),
        unlikely=np.stack([kind(held_out[index % len(held_out)]) for index, kind in enumerate(_UNLIKELY)]),
        held_out_names=tuple(names[::_HELD_OUT_STEP][:_MAX_HELD_OUT]),
    )


def _named(images: Any) -> str:
    return f"the path {os.fspath(images)!r}" if _is_path(images) else f"a {type(images).__name__}"


def _is_path(image: Any) -> bool:
    return isinstance(image, str | os.PathLike)


def _resized(image: Any, size: tuple[int, int]) -> np.ndarray:
    if isinstance(image, list | tuple | dict):
        raise ValueError(
            f"A calibration image is a {type(image).__name__} of {len(image)}; pass the pictures alone, without masks."
        )
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"A calibration image has the shape {image.shape} and the type {image.dtype}; each must be (H, W, 3), "
            "uint8, RGB, as `load_image` returns it."
        )
    return np.rint(resized_rows(image, size, slice(None))).astype(np.uint8)


def _with_augmented(images: list[np.ndarray], kinds: Sequence[Callable[[np.ndarray], np.ndarray]]) -> np.ndarray:
    augmented = [kinds[index % len(kinds)](image) for index, image in enumerate(images)]
    return np.stack([*images, *augmented])


def _darkened_mirror_image(image: np.ndarray) -> np.ndarray:
    return (255 * 0.6 * (image[:, ::-1] / 255) ** 1.6).astype(np.uint8)  # 60 % of the brightness, deeper shadows


def _central_half(image: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    part = image[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return _resized(part, (height, width))


def _red_and_blue_swapped(image: np.ndarray) -> np.ndarray:
    return image[..., ::-1]


def _overexposed(image: np.ndarray) -> np.ndarray:
    return np.clip(1.5 * (image.astype(np.float32) - 100) + 140, 0, 255).astype(np.uint8)  # more contrast, brighter


def _inverted(image: np.ndarray) -> np.ndarray:
    return 255 - image


def _noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 30, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def _blurred(image: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    return _resized(image[::8, ::8], (height, width))


def _four_small_ones(image: np.ndarray) -> np.ndarray:
    rows = np.concatenate([image[::2], image[1::2][::-1]])
    return np.concatenate([rows[:, ::2], rows[:, 1::2][:, ::-1]], axis=1)


# Recipes and files are measured on the first kind, single layers on the second. Ranges and weights are fitted to both,
# so that pictures of another kind than those at hand lie within them too.
_LIKELY = (_darkened_mirror_image, _central_half, _red_and_blue_swapped, _overexposed)
_UNLIKELY = (_inverted, _noisy, _blurred, _four_small_ones)
