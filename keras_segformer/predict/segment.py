"""`segment`: from pictures to label maps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np

from keras_segformer.images import ImageSource, load_image
from keras_segformer.models import SegFormerNetwork
from keras_segformer.predict.enlarge import enlarge_argmax, enlarge_softmax
from keras_segformer.predict.interpolation import resized_rows, resized_with_antialiasing
from keras_segformer.predict.logits import MAX_PIXELS, MIN_WINDOW, grid_size, logit_bands, quarter_logits
from keras_segformer.predict.sizes import Size, SizeChoice, resize_shape

_ACCELERATOR_BATCH = 8


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
    batch_size: int | None = None,
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
        batch_size: How many pictures of a list the network sees together at most, where it sees them at the same size
            and they have no more than `max_pixels` together. By default 8 on a GPU or TPU, and 1 on a CPU, where a
            batch takes longer than its pictures one by one unless they are tiny. In a batch the last bits of logits
            may differ, and with them the labels of pixels at which two classes are as good as equal; with 1 the
            labels are exactly those of calls with single pictures.

    Returns:
        A label map `(H, W)`, int32, of the picture's own size: the index of every pixel's class, or 0 for background
        and 1 for foreground where the model has a single logit. With `probabilities`, a `Segmentation`, whose
        probabilities have one channel per label. A list of them for a list of pictures.

    Raises:
        FileNotFoundError: There is no such file.
        InvalidImageError: A file is not a readable picture, or a picture is smaller than 32x32 pixels with
            `size="native"`.
        ValueError: `size`, `max_pixels` or `batch_size` is out of range, or the logits are not finite.

    Example:

    ```python
    labels = segment(model, "photo.jpg")
    labels, probabilities = segment(model, "photo.jpg", probabilities=True)
    ```
    """
    if not isinstance(max_pixels, int) or max_pixels < MIN_WINDOW**2:
        raise ValueError(f"`max_pixels` must be an integer of at least {MIN_WINDOW**2}; got {max_pixels!r}")
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(f"`batch_size` must be an integer of at least 1; got {batch_size!r}")
    is_list = isinstance(images, list | tuple)
    batch_size = (batch_size or _usual_batch()) if is_list else 1
    results: dict[int, np.ndarray | Segmentation] = {}
    for pictures in _batches(images if is_list else [images], model.config.input_size, size, batch_size, max_pixels):
        for picture, bands in zip(pictures, _logits(model, pictures, max_pixels, antialias), strict=True):
            results[picture.index] = _enlarged(bands, picture, probabilities)
    return [results[index] for index in range(len(results))] if is_list else results[0]


class _Picture(NamedTuple):
    """A picture of a list, and the size at which the network sees it."""

    index: int
    pixels: np.ndarray  # (H, W, 3)
    network_size: Size


def _usual_batch() -> int:
    has_accelerator = any(not device.lower().startswith("cpu") for device in keras.distribution.list_devices())
    return _ACCELERATOR_BATCH if has_accelerator else 1


def _batches(
    sources: Sequence[ImageSource], input_size: Size, choice: SizeChoice, batch_size: int, max_pixels: int
) -> Iterator[list[_Picture]]:
    """Yields pictures of one network size together; few are in memory at the same time."""
    waiting: dict[Size, list[_Picture]] = {}
    for index, source in enumerate(sources):
        pixels = load_image(source)
        network_size = resize_shape(pixels.shape[:2], choice, input_size)
        batch = waiting.setdefault(network_size, [])
        batch.append(_Picture(index, pixels, network_size))
        if len(batch) >= min(batch_size, max_pixels // math.prod(network_size)):
            yield waiting.pop(network_size)
    yield from waiting.values()


def _logits(
    model: SegFormerNetwork, pictures: list[_Picture], max_pixels: int, antialias: bool
) -> Iterator[Iterable[np.ndarray]]:
    """Yields the logits of every picture, in bands that together are `(h, w, labels)`."""
    size = pictures[0].network_size
    images = [resized_with_antialiasing(each.pixels, size) if antialias else each.pixels for each in pictures]
    if len(images) == 1:
        yield logit_bands(model, images[0], size, max_pixels)
    else:
        yield from quarter_logits(model, np.stack([resized_rows(image, size) for image in images]))[:, None]


def _enlarged(bands: Iterable[np.ndarray], picture: _Picture, probabilities: bool) -> np.ndarray | Segmentation:
    own_size, grid = picture.pixels.shape[:2], grid_size(picture.network_size)  # (H, W), (h, w)
    if not probabilities:
        return enlarge_argmax(bands, grid, own_size)
    bands = list(bands)  # computed lazily, but read twice
    return Segmentation(enlarge_argmax(bands, grid, own_size), enlarge_softmax(bands, grid, own_size))
