"""The logits of one picture in every view that its label map is made from: scales, mirror images, windows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict.enlarge import enlarge_argmax, enlarge_mean_argmax
from keras_segformer.predict.forward import quarter_logits
from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.sizes import ALIGNMENT, Size, SizeChoice, fed_size
from keras_segformer.predict.windows import WINDOW, slide

MAX_PIXELS = 1024 * 2048
"""The largest picture that the network sees at once by default: a whole Cityscapes picture."""

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
"""The scales of the paper's multi-scale evaluation."""


class View(NamedTuple):
    """The logits of a picture as the network saw it once.

    Args:
        bands: From top to bottom, arrays `(rows, w, labels)`, float32, which together are the logits. Those of
            windows are computed when they are asked for, and only once.
        grid: `(h, w)` of all bands together.
    """

    bands: Iterable[np.ndarray]
    grid: Size

    def mirrored(self) -> View:
        """The same logits from right to left: what a mirrored picture gave, on the picture."""
        return View((band[:, ::-1] for band in self.bands), self.grid)


def network_views(
    model: SegFormerNetwork,
    image: np.ndarray,
    size: SizeChoice = "aligned",
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    window: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[View]:
    """Shows a picture to the network, once or several times.

    Args:
        model: The network.
        image: `(H, W, 3)`, uint8, RGB.
        size: As `fed_size` takes it.
        scales: What that size is multiplied by, one view for each.
        flip: Whether the mirrored picture gives a further view at every scale.
        window: Side in pixels of the overlapping windows into which larger pictures are cut, a multiple of 32. By
            default only pictures of more than `max_pixels` are cut.
        max_pixels: The most pixels that the network sees at once where there is no `window`.

    Yields:
        The views.

    Raises:
        InvalidImageError: `"native"` for a picture smaller than 32x32 pixels.
        ValueError: An argument is out of range.

    Example:

    ```python
    labels = label_map(list(network_views(model, image, scales=SCALES, flip=True)), image.shape[:2])
    ```
    """
    for scale, is_mirrored in itertools.product(scales, (False, True) if flip else (False,)):
        fed = fed_size(image.shape[:2], size, model.config.input_size, scale)
        seen = image[:, ::-1] if is_mirrored else image
        bands = logit_bands(model, seen, fed, max_pixels) if window is None else _cut(model, seen, fed, window)
        view = View(bands, (math.ceil(fed[0] / 4), math.ceil(fed[1] / 4)))
        yield view.mirrored() if is_mirrored else view


def label_map(views: Sequence[View], size: Size) -> np.ndarray:
    """Finds the class of every pixel from one or several views of a picture.

    Args:
        views: The views. With several, the class of the largest mean probability is found.
        size: `(height, width)` of the picture in pixels.

    Returns:
        `(height, width)`, int32.

    Example:

    >>> label_map([View([np.eye(2, dtype=np.float32)[None]], grid=(1, 2))], size=(1, 4)).tolist()
    [[0, 0, 1, 1]]
    """
    if len(views) == 1:
        return enlarge_argmax(*views[0], size)
    return enlarge_mean_argmax(views, size)


def logit_bands(
    model: SegFormerNetwork, image: np.ndarray, size: Size, max_pixels: int = MAX_PIXELS
) -> Iterable[np.ndarray]:
    """The logits of a picture, as a whole where it fits and else from overlapping windows.

    Args:
        model: The network.
        image: `(H, W, 3)`, uint8, RGB.
        size: `(height, width)` in pixels at which the network sees it.
        max_pixels: The most pixels that it sees at once.

    Returns:
        From top to bottom, bands `(rows, ceil(width / 4), labels)`, float32, of together `ceil(height / 4)` rows.

    Raises:
        ValueError: The logits are not finite.

    Example:

    ```python
    logits = np.concatenate(list(logit_bands(model, image, (512, 704))))  # (128, 176, 150)
    ```
    """
    if math.prod(size) <= max_pixels:
        return quarter_logits(model, resized_rows(image, size, slice(None))[None])
    return _cut(model, image, size, window=min(WINDOW, _aligned_down(math.isqrt(max_pixels))))


def _cut(model: SegFormerNetwork, image: np.ndarray, size: Size, window: int) -> Iterator[np.ndarray]:
    """The bands of windows that overlap by a quarter, as the 1024 pixels and stride 768 of the paper do."""
    return slide(model, image, size, window, _aligned_down(window * 3 // 4))


def _aligned_down(length: int) -> int:
    return length // ALIGNMENT * ALIGNMENT
