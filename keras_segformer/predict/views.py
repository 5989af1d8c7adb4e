"""Multi-scale and mirrored prediction: several views of a picture, whose probabilities are averaged.

`segment` takes a single view; `keras_segformer.evaluation.evaluate` may take several.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict.enlarge import enlarge_argmax, enlarge_mean_argmax
from keras_segformer.predict.interpolation import resized_with_antialiasing
from keras_segformer.predict.logits import MAX_PIXELS, grid_size, logit_bands
from keras_segformer.predict.sizes import Size, SizeChoice, resize_shape

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
"""The scales of the paper's multi-scale evaluation."""


class View(NamedTuple):
    """The logits of a picture, resized to one size, mirrored or not.

    Args:
        bands: From top to bottom, arrays `(rows, w, labels)`, float32, that together are the logits; they may be
            computed lazily, so that they can be read only once.
        grid: `(h, w)` of all bands together.
    """

    bands: Iterable[np.ndarray]
    grid: Size

    def mirrored(self) -> View:
        """Returns the same logits from right to left: those of a mirrored picture, on the picture itself."""
        return View((band[:, ::-1] for band in self.bands), self.grid)


def network_views(
    model: SegFormerNetwork,
    image: np.ndarray,
    size: SizeChoice = "aligned",
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    window: int | None = None,
    max_pixels: int = MAX_PIXELS,
    antialias: bool = False,
) -> Iterator[View]:
    """Runs the network on a picture at several scales, mirrored or not.

    Args:
        model: The network.
        image: `(H, W, 3)`, uint8, RGB.
        size: As `resize_shape` takes it.
        scales: Factors on that size, one view for each.
        flip: Whether the mirrored picture gives a further view at every scale.
        window: Side in pixels of the overlapping windows into which larger pictures are cut, a multiple of 32. By
            default only pictures of more than `max_pixels` are cut.
        max_pixels: The most pixels that the network sees at once where there is no `window`.
        antialias: Whether the picture is resized with antialiasing, as transformers does.

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
        network_size = resize_shape(image.shape[:2], size, model.config.input_size, scale)
        seen = resized_with_antialiasing(image, network_size) if antialias else image
        seen = seen[:, ::-1] if is_mirrored else seen
        view = View(logit_bands(model, seen, network_size, max_pixels, window), grid_size(network_size))
        yield view.mirrored() if is_mirrored else view


def label_map(views: Sequence[View], size: Size) -> np.ndarray:
    """Predicts the class of every pixel from one or several views of a picture.

    Args:
        views: The views. With several, the class with the largest mean probability is taken.
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
