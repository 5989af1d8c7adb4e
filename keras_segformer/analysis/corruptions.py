"""The sixteen corruptions of Cityscapes-C (paper section 4.4, table 5), drawn by the package `imagecorruptions`."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_segformer.analysis.corruption_names import CORRUPTIONS
from keras_segformer.errors import InvalidImageError, MissingExtraError

MIN_SIDE = 32
"""Smallest height and width in pixels that the package takes."""

_OWN_GENERATORS = ("glass_blur", "impulse_noise")
"""Corruptions whose random numbers do not come from NumPy's global generator."""


def corrupt(image: np.ndarray, corruption: str, severity: int, seed: int = 0, name: str = "") -> np.ndarray:
    """Corrupts a picture.

    The random numbers depend on the arguments alone, so that a picture looks the same whatever was corrupted before it.

    Args:
        image: `(H, W, 3)`, uint8, with H, W >= 32.
        corruption: One of `CORRUPTIONS`.
        severity: From 1 to 5.
        seed: Number of the run.
        name: What tells the picture from others, such as its file name.

    Returns:
        `(H, W, 3)`, uint8.

    Raises:
        InvalidImageError: The picture is smaller than 32x32 pixels.
        MissingExtraError: `imagecorruptions-imaug` is not installed.
        ValueError: There is no such corruption or severity.

    Source: Hendrycks and Dietterich, arXiv 1903.12261; Kamann and Rother, arXiv 1908.05005, for segmentation.

    Example:

    ```python
    foggy = corrupt(image, "fog", severity=3, name="street.jpg")
    ```
    """
    if corruption not in CORRUPTIONS:
        raise ValueError(f"`corruption` must be one of {', '.join(CORRUPTIONS)}; got {corruption!r}.")
    if severity not in range(1, 6):
        raise ValueError(f"`severity` must be a whole number from 1 to 5; got {severity!r}.")
    if min(image.shape[:2]) < MIN_SIDE:
        raise InvalidImageError(
            f"the picture {name!r} has {image.shape[0]}x{image.shape[1]} pixels, but corruptions need at least "
            f"{MIN_SIDE}x{MIN_SIDE}; leave it out"
        )
    library = import_library()
    number = _number(corruption, severity, seed, name)
    own = {"seed": number} if corruption in _OWN_GENERATORS else {}
    with _global_generator(number):
        return library.corrupt(np.ascontiguousarray(image), severity, corruption, **own)


def import_library() -> Any:
    """Imports the package, which takes seconds.

    Returns:
        The module `imagecorruptions`.

    Raises:
        MissingExtraError: `imagecorruptions-imaug` is not installed.
        ValueError: OpenCV, which it needs, does not find a library of the system.

    Example:

    ```python
    import_library().get_corruption_names("all")
    ```
    """
    try:
        import imagecorruptions
    except ModuleNotFoundError as error:
        raise MissingExtraError("imagecorruptions-imaug", "robustness") from error
    except ImportError as error:  # the package asks for the OpenCV with windows, which wants libGL
        raise ValueError(
            f"OpenCV cannot be loaded ({error}); install that library (Debian, Ubuntu: apt install libgl1), or put "
            "opencv-python-headless in the place of opencv-python."
        ) from error
    return imagecorruptions


def _number(*what: Any) -> int:
    """32 bits that differ for different arguments."""
    return int.from_bytes(hashlib.sha256(repr(what).encode()).digest()[:4], "little")


@contextlib.contextmanager
def _global_generator(seed: int) -> Iterator[None]:
    """Seeds the generator that the package uses, and leaves it as it was found."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
