"""`segment`: from pictures to label maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_segformer.images import ImageSource, load_image
from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict.enlarge import enlarge_argmax, enlarge_softmax
from keras_segformer.predict.interpolation import resized_with_antialiasing
from keras_segformer.predict.logits import MAX_PIXELS, MIN_WINDOW, grid_size, logit_bands
from keras_segformer.predict.sizes import SizeChoice, resize_shape


class Segmentation(NamedTuple):
    """A label map with the probabilities of all labels.

    Args:
        labels: `(H, W)`, int32.
        probabilities: `(H, W, labels)`, float32.
    """

    labels: np.ndarray
    probabilities: np.ndarray


def segment(
    model: SegFormerNetwork,
    images: ImageSource | Sequence[ImageSource],
    size: SizeChoice = "aligned",
    probabilities: bool = False,
    max_pixels: int = MAX_PIXELS,
    antialias: bool = False,
) -> np.ndarray | Segmentation | list[np.ndarray] | list[Segmentation]:
    """Finds the class of every pixel.

    The picture is resized for the network, and the logits are enlarged to the picture's own size before classes are
    compared.

    Args:
        model: The network.
        images: One picture, as `keras_segformer.images.load_image` reads it: a path, a PIL image, or an array
            `(H, W)`, `(H, W, 1)`, `(H, W, 3)` or `(H, W, 4)` on the scale 0..255; or a list or tuple of pictures,
            which may differ in size.
        size: The size at which the network sees a picture:
            - `"aligned"` keeps the aspect ratio, as the evaluation of the published weights does;
            - `"square"` squeezes it to the size for which the model was trained, `model.config.input_size`;
            - `"native"` leaves it as it is;
            - `(height, width)` in pixels.
        probabilities: Whether to return the probability of every label too. With 150 classes they take 600 bytes per
            pixel.
        max_pixels: The most pixels that the network sees at once. Pictures that are larger after resizing, which can
            happen only with `"native"` and `(height, width)` by default, are cut into windows of at most 1024x1024
            pixels that overlap by a quarter. The memory of a forward pass grows with the square of this number, because
            of the attention in the first stage: B0 with 150 classes takes about 0.2 GB at 512x512 pixels, 0.5 GB at
            1024x1024 and 1.4 GB at 1024x2048, in float32. The limit is a fixed number rather than the memory that
            happens to be free, so that a picture has the same labels on every machine.
        antialias: Whether the picture is resized with antialiasing. The weights were trained and measured without;
            transformers' `SegformerImageProcessor` resizes with it. Use `size="square", antialias=True` for the pixels
            that transformers gives to the network.

    Returns:
        A label map `(H, W)`, int32, of the picture's own size: the index of every pixel's class, or 0 for background
        and 1 for foreground where the model has a single logit. With `probabilities`, a `Segmentation`, whose
        probabilities have one channel per label. A list of them for a list of pictures.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidImageError: A file is not a readable picture, or a picture is smaller than 32x32 pixels with
            `size="native"`.
        ValueError: `size` or `max_pixels` is out of range, or the logits are not finite.

    Example:

    ```python
    labels = segment(model, "photo.jpg")
    labels, probabilities = segment(model, "photo.jpg", probabilities=True)
    ```
    """
    if not isinstance(max_pixels, int) or max_pixels < MIN_WINDOW**2:
        raise ValueError(f"`max_pixels` must be an integer of at least {MIN_WINDOW**2}; got {max_pixels!r}")
    if isinstance(images, list | tuple):
        return [_segment_one(model, image, size, probabilities, max_pixels, antialias) for image in images]
    return _segment_one(model, images, size, probabilities, max_pixels, antialias)


def _segment_one(
    model: SegFormerNetwork,
    source: ImageSource,
    choice: SizeChoice,
    probabilities: bool,
    max_pixels: int,
    antialias: bool,
) -> np.ndarray | Segmentation:
    image = load_image(source)  # (H, W, 3)
    own_size = image.shape[:2]
    network_size = resize_shape(own_size, choice, model.config.input_size)
    if antialias:
        image = resized_with_antialiasing(image, network_size)
    bands = logit_bands(model, image, network_size, max_pixels)  # together (h, w, labels)
    grid = grid_size(network_size)  # (h, w)
    if not probabilities:
        return enlarge_argmax(bands, grid, own_size)
    bands = list(bands)  # computed lazily, but read twice
    return Segmentation(enlarge_argmax(bands, grid, own_size), enlarge_softmax(bands, grid, own_size))
