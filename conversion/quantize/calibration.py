"""The images that a quantisation is fitted to and measured on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_segformer.predict.interpolation import resized_rows

_FEWEST = 4
_MEASURED_SHARE = 4  # every fourth image
_MAX_MEASURED = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """Two sets of images without one in common, each half as they are and half altered.

    A phone sees more than the pictures that were at hand. Ranges that fit the latter alone cut off what others hold:
    the altered images bring that to light.

    Args:
        fitted: Those that ranges and weights are fitted to, `(images, height, width, 3)`, uint8.
        measured: Those that recipes are measured on.
    """

    fitted: np.ndarray
    measured: np.ndarray

    @property
    def unaltered_measured(self) -> np.ndarray:
        """Those of `measured` that are as they were given."""
        return self.measured[: len(self.measured) // 2]


def make_calibration(images: Iterable[Any], size: tuple[int, int]) -> Calibration:
    """Prepare the calibration images.

    Args:
        images: Each `(H, W, 3)`, uint8, RGB, of any size. Some dozen that look like what the model is to see.
        size: `(height, width)` of the network's input; images are resized to it whatever their aspect ratio.

    Returns:
        The two sets.

    Raises:
        ValueError: There are too few images, or one is no picture.
    """
    resized = [_resized(image, size) for image in images]
    if len(resized) < _FEWEST:
        raise ValueError(
            f"There are {len(resized)} calibration images; name at least {_FEWEST}, better some dozen, that look like "
            "what the model is to see."
        )
    measured = resized[::_MEASURED_SHARE][:_MAX_MEASURED]
    fitted = [image for index, image in enumerate(resized) if index % _MEASURED_SHARE]
    return Calibration(fitted=_with_altered(fitted), measured=_with_altered(measured))


def _resized(image: Any, size: tuple[int, int]) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(
            f"A calibration image has the shape {image.shape} and the type {image.dtype}; each must be (H, W, 3), "
            "uint8, RGB, as load_image gives them."
        )
    return np.rint(resized_rows(image, size, slice(None))).astype(np.uint8)


def _with_altered(images: list[np.ndarray]) -> np.ndarray:
    altered = [_ALTERATIONS[index % len(_ALTERATIONS)](image) for index, image in enumerate(images)]
    return np.stack([*images, *altered])


def _at_dusk(image: np.ndarray) -> np.ndarray:
    return (255 * 0.6 * (image[:, ::-1] / 255) ** 1.6).astype(np.uint8)


def _nearer(image: np.ndarray) -> np.ndarray:
    height, width, _ = image.shape
    part = image[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return _resized(part, (height, width))


def _other_colors(image: np.ndarray) -> np.ndarray:
    return image[..., ::-1]


def _in_glare(image: np.ndarray) -> np.ndarray:
    return np.clip(1.5 * (image.astype(np.float32) - 100) + 140, 0, 255).astype(np.uint8)


_ALTERATIONS = (_at_dusk, _nearer, _other_colors, _in_glare)
