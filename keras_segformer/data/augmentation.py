"""Augmentation of the paper's recipe, in which masks are never interpolated."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_segformer.mask_rules import IGNORE

PAD_COLOR = (124, 116, 104)
"""The mean pixel of ImageNet in whole numbers: what the network sees as zero."""

CROP_ATTEMPTS = 10

# What mmsegmentation's PhotoMetricDistortion draws from; its hue of ±18 is on OpenCV's scale of 180 to the circle.
_BRIGHTNESS = 32 / 255
_CONTRAST = (0.5, 1.5)
_SATURATION = (0.5, 1.5)
_HUE = 18 / 180

Seed = tf.Tensor


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Random scale, crop, flip and photometric distortion, as the original recipe draws them.

    Every draw follows from the seed of the call (`tf.random.stateless_*`): the same example with the same seed
    gives the same pixels, in whatever order and on whatever worker it is computed. Masks are only ever indexed,
    never interpolated: their values afterwards are a subset of those before plus 255.

    Args:
        crop_size: `(height, width)` of the result, in pixels.
        scale: The range of the random factor on `base_size`.
        base_size: `(long side, short side)` in pixels of the box that factor 1 fits a picture into, aspect ratio
            kept; `None` leaves factor 1 at the picture's own size.
        stretch: Whether factor 1 is the size of the crop itself, whatever the picture's aspect ratio: as a network
            sees whole pictures whose input is of another shape. Takes the place of `base_size`.
        antialias: Whether the picture is resized with antialiasing.
        cat_max_ratio: A crop of whose labelled pixels one class covers this share or more is drawn again, ten
            times at most; 1 takes the first crop.
        flip: Probability of a horizontal flip.
        photometric: Whether brightness, contrast, saturation and hue are distorted.
        class_balance: Probability that the window is placed so that it contains a pixel of a class drawn from those
            in the picture, each with a probability proportional to the inverse of its frequency.
        class_frequencies: The share of every class in the pixels of the data set, or numbers proportional to it. A
            class of frequency 0 is never drawn. Required where `class_balance` is above 0.
        paste: Probability of each of `paste_classes` that its pixels in the next crop are laid over this one. It needs
            `training_dataset`, which has the next crop, and then prepares every picture twice.
        paste_classes: The class indices that are pasted. Required where `paste` is above 0.

    Raises:
        ValueError: A value is out of range.

    Source: the training pipeline in `local_configs/_base_/datasets/ade20k_repeat.py` of the original code.

    Example:

    >>> augmentation = Augmentation(crop_size=(32, 48))
    >>> image, mask = tf.zeros((40, 60, 3), tf.uint8), tf.ones((40, 60), tf.uint8)
    >>> augmented_image, augmented_mask = augmentation(image, mask, seed=tf.constant([0, 1]))
    >>> augmented_image.shape, augmented_mask.dtype
    (TensorShape([32, 48, 3]), tf.uint8)
    """

    crop_size: tuple[int, int]
    scale: tuple[float, float] = (0.5, 2.0)
    base_size: tuple[int, int] | None = None
    stretch: bool = False
    antialias: bool = False
    cat_max_ratio: float = 0.75
    flip: float = 0.5
    photometric: bool = True
    class_balance: float = 0.0
    class_frequencies: tuple[float, ...] | None = None
    paste: float = 0.0
    paste_classes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for field in ("crop_size", "scale", "base_size", "class_frequencies", "paste_classes"):
            value = getattr(self, field)
            object.__setattr__(self, field, value and tuple(value))
        if len(self.crop_size) != 2 or min(self.crop_size) < 32:
            raise ValueError(f"`crop_size` must be a height and a width of at least 32 pixels; got {self.crop_size}.")
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"`scale` must be two positive factors, the smaller one first; got {self.scale}.")
        if self.base_size is not None and (len(self.base_size) != 2 or self.base_size[0] < self.base_size[1]):
            raise ValueError(f"`base_size` must be a long and a short side in pixels; got {self.base_size}.")
        if self.stretch and self.base_size is not None:
            raise ValueError(f"`stretch` takes the place of `base_size`, which is {self.base_size}; leave one out.")
        if not 0 < self.cat_max_ratio <= 1:
            raise ValueError(f"`cat_max_ratio` must be above 0 and at most 1; got {self.cat_max_ratio}.")
        if not 0 <= self.flip <= 1:
            raise ValueError(f"`flip` must be a probability; got {self.flip}.")
        self._check_class_balance()
        if not 0 <= self.paste <= 1:
            raise ValueError(f"`paste` must be a probability; got {self.paste}.")
        if self.paste and not self.paste_classes:
            raise ValueError("`paste` needs `paste_classes`, the indices of rare classes; add them.")
        if self.paste_classes and not 0 <= min(self.paste_classes) <= max(self.paste_classes) < IGNORE:
            raise ValueError(f"`paste_classes` must be class indices; got {self.paste_classes}.")

    def _check_class_balance(self) -> None:
        if not 0 <= self.class_balance <= 1:
            raise ValueError(f"`class_balance` must be a probability; got {self.class_balance}.")
        frequencies = self.class_frequencies
        if self.class_balance and not frequencies:
            raise ValueError("`class_balance` needs `class_frequencies`, a number for every class; add them.")
        if frequencies and not (min(frequencies) >= 0 < max(frequencies) and len(frequencies) <= IGNORE):
            raise ValueError(f"`class_frequencies` must not be negative, nor all be zero; got {frequencies}.")

    def __call__(self, image: tf.Tensor, mask: tf.Tensor, seed: Seed) -> tuple[tf.Tensor, tf.Tensor]:
        """Augments one example.

        Args:
            image: `(H, W, 3)`, uint8.
            mask: `(H, W)`, uint8, 255 for ignored pixels.
            seed: Two integers.

        Returns:
            Image `(height, width, 3)`, uint8, and mask `(height, width)`, uint8, of the crop's size. What lies
            outside the picture is the mean pixel and 255.

        Raises:
            ValueError: A shape or dtype is another, image and mask differ in size, or `paste` is above 0.
        """
        if self.paste:
            raise ValueError(
                f"`paste` of {self.paste} needs the next crop, which `training_dataset` has: use that, or set it to 0."
            )
        check_pair(image, mask)
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 4))
        stretched_size = self.crop_size if self.stretch else None
        image, mask = random_scale(
            image, mask, seeds[0], self.scale, self.base_size, stretched_size, antialias=self.antialias
        )
        image, mask = random_crop(
            image, mask, seeds[1], self.crop_size, self.cat_max_ratio, self.class_balance, self.class_frequencies
        )
        image, mask = random_flip(image, mask, seeds[2], self.flip)
        if self.photometric:
            image = photometric_distortion(image, seeds[3])
        image, mask = pad(image, mask, self.crop_size)
        return image, mask


def check_pair(image: tf.Tensor, mask: tf.Tensor) -> None:
    """Checks an image and its mask, which augmentation would otherwise garble, such as a one-hot mask.

    Args:
        image: `(H, W, 3)`, uint8; lengths may be unknown.
        mask: `(H, W)`, uint8; lengths may be unknown.

    Raises:
        ValueError: A shape or dtype is another, or image and mask differ in size.

    Example:

    >>> check_pair(tf.zeros((4, 6, 3), tf.uint8), tf.zeros((4, 6), tf.uint8))
    """
    image, mask = tf.convert_to_tensor(image), tf.convert_to_tensor(mask)
    if image.dtype != tf.uint8 or not image.shape.is_compatible_with((None, None, 3)):
        raise ValueError(f"An image is (H, W, 3), uint8; got {image.shape}, {image.dtype.name}.")
    if mask.dtype != tf.uint8 or not mask.shape.is_compatible_with((None, None)):
        raise ValueError(
            f"A mask is (H, W), uint8, class indices with 255 for ignored pixels; got {mask.shape}, {mask.dtype.name}."
        )
    if not mask.shape.is_compatible_with(image.shape[:2]):
        raise ValueError(f"Image and mask differ in size: {image.shape[:2]} and {mask.shape}; resize them together.")


def random_scale(
    image: tf.Tensor,
    mask: tf.Tensor,
    seed: Seed,
    scale: tuple[float, float] = (0.5, 2.0),
    base_size: tuple[int, int] | None = None,
    stretched_size: tuple[int, int] | None = None,
    antialias: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Resizes by a random factor, the image bilinearly, the mask by nearest neighbours.

    Args:
        image: `(H, W, 3)`, uint8.
        mask: `(H, W)`, uint8.
        seed: Two integers.
        scale: The range of the factor, uniform.
        base_size: The box that factor 1 fits the picture into; see `Augmentation`.
        stretched_size: `(height, width)` that factor 1 gives the picture, whatever its aspect ratio.
        antialias: Whether the image is resized with antialiasing.

    Returns:
        Image `(h, w, 3)`, uint8, and mask `(h, w)`, uint8.
    """
    factor = tf.random.stateless_uniform((), seed, *scale)
    size = tf.cast(stretched_size or tf.shape(mask), tf.float32)
    if base_size is not None:
        long, short = float(base_size[0]), float(base_size[1])
        factor *= tf.minimum(long / tf.reduce_max(size), short / tf.reduce_min(size))
    new_size = tf.maximum(tf.cast(tf.round(size * factor), tf.int32), 1)
    return resize(image, mask, new_size, antialias)


def resize(
    image: tf.Tensor, mask: tf.Tensor, size: tf.Tensor | tuple[int, int], antialias: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    """Resizes an image bilinearly and its mask by nearest neighbours, both about half-pixel centres.

    Args:
        image: `(H, W, 3)`, uint8.
        mask: `(H, W)`, uint8.
        size: `(height, width)` in pixels.
        antialias: Whether the image is resized with antialiasing.

    Returns:
        Image `(height, width, 3)`, uint8, and mask `(height, width)`, uint8.
    """
    resized = tf.image.resize(image, size, method="bilinear", antialias=antialias)
    nearest = tf.image.resize(mask[..., None], size, method="nearest")[..., 0]
    return _to_bytes(resized), nearest


def random_crop(
    image: tf.Tensor,
    mask: tf.Tensor,
    seed: Seed,
    crop_size: tuple[int, int],
    cat_max_ratio: float = 0.75,
    class_balance: float = 0.0,
    class_frequencies: Sequence[float] | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Cuts a random window, anew while a single class covers too much of it.

    Args:
        image: `(H, W, 3)`, uint8.
        mask: `(H, W)`, uint8.
        seed: Two integers.
        crop_size: `(height, width)` of the window; a smaller picture keeps its size.
        cat_max_ratio: See `Augmentation`.
        class_balance: See `Augmentation`.
        class_frequencies: See `Augmentation`.

    Returns:
        Image `(h, w, 3)` and mask `(h, w)` of at most the crop's size.
    """
    available = tf.shape(mask)
    size = tf.minimum(available, tf.constant(crop_size))
    seed = tf.cast(seed, tf.int32)

    def anywhere(attempt: tf.Tensor) -> tf.Tensor:
        draws = tf.random.stateless_uniform((2,), seed + tf.stack([0, attempt]))
        return tf.cast(draws * tf.cast(available - size + 1, tf.float32), tf.int32)

    balanced_seed = tf.random.experimental.stateless_fold_in(seed, 1)
    weights = _class_weights(mask, class_frequencies or ())
    is_balanced = tf.random.stateless_uniform((), balanced_seed) < class_balance
    is_balanced &= tf.reduce_any(weights > 0)

    def window(attempt: tf.Tensor) -> tf.Tensor:
        if not class_balance:
            return anywhere(attempt)
        return tf.cond(
            is_balanced,
            lambda: _window_with_class(mask, weights, balanced_seed + tf.stack([1, attempt]), size),
            lambda: anywhere(attempt),
        )

    def is_monotonous(corner: tf.Tensor) -> tf.Tensor:
        counts = tf.math.bincount(tf.cast(tf.reshape(tf.slice(mask, corner, size), [-1]), tf.int32), minlength=256)
        counts = tf.cast(counts[:IGNORE], tf.float32)
        return tf.reduce_max(counts) >= cat_max_ratio * tf.reduce_sum(counts)

    corner = window(tf.constant(0))
    if cat_max_ratio < 1:
        _, corner = tf.while_loop(
            lambda attempt, corner: (attempt < CROP_ATTEMPTS) & is_monotonous(corner),
            lambda attempt, corner: (attempt + 1, window(attempt)),
            (tf.constant(1), corner),
        )
    image = tf.slice(image, tf.concat([corner, [0]], 0), tf.concat([size, [3]], 0))
    return image, tf.slice(mask, corner, size)


def _class_weights(mask: tf.Tensor, frequencies: Sequence[float]) -> tf.Tensor:
    """What every class is drawn with, `(classes,)`: the inverse of its frequency, 0 where the mask lacks it."""
    counts = tf.math.bincount(tf.cast(tf.reshape(mask, [-1]), tf.int32), minlength=IGNORE + 1)
    inverse = tf.constant([1 / frequency if frequency else 0.0 for frequency in frequencies], tf.float32)
    return tf.where(counts[: len(frequencies)] > 0, inverse, 0.0)


def _window_with_class(mask: tf.Tensor, weights: tf.Tensor, seed: Seed, size: tf.Tensor) -> tf.Tensor:
    """The upper left corner of a random window around a random pixel of a random class."""
    class_draw, pixel_draw, *corner_draws = tf.unstack(tf.random.stateless_uniform((4,), seed))
    cumulative = tf.cumsum(weights)
    drawn = tf.searchsorted(cumulative, [class_draw * cumulative[-1]], side="right")[0]
    pixels = tf.where(mask == tf.cast(drawn, mask.dtype))  # (N, 2)
    count = tf.cast(tf.shape(pixels)[0], tf.float32)
    pixel = tf.cast(pixels[tf.cast(pixel_draw * count, tf.int32)], tf.int32)
    first = tf.maximum(pixel - size + 1, 0)
    last = tf.minimum(pixel, tf.shape(mask) - size)
    return first + tf.cast(tf.stack(corner_draws) * tf.cast(last - first + 1, tf.float32), tf.int32)


def random_flip(image: tf.Tensor, mask: tf.Tensor, seed: Seed, probability: float = 0.5) -> tuple[tf.Tensor, tf.Tensor]:
    """Mirrors an image and its mask left to right.

    Args:
        image: `(H, W, 3)`, uint8.
        mask: `(H, W)`, uint8.
        seed: Two integers.
        probability: How often.

    Returns:
        Image and mask of the same shapes.
    """
    flipped = tf.random.stateless_uniform((), seed) < probability
    return tf.cond(flipped, lambda: (image[:, ::-1], mask[:, ::-1]), lambda: (image, mask))


def photometric_distortion(image: tf.Tensor, seed: Seed) -> tf.Tensor:
    """Distorts brightness, contrast, saturation and hue, each with probability 1/2.

    Contrast comes before saturation and hue in half of the cases, after them in the other half.

    Args:
        image: `(H, W, 3)`, uint8.
        seed: Two integers.

    Returns:
        `(H, W, 3)`, uint8.
    """
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 9))

    def distort(
        image: tf.Tensor, number: int, low: float, high: float, change: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    ) -> tf.Tensor:
        amount = tf.random.stateless_uniform((), seeds[2 * number + 1], low, high)
        applied = tf.random.stateless_uniform((), seeds[2 * number]) < 0.5
        return tf.cond(applied, lambda: tf.clip_by_value(change(image, amount), 0.0, 1.0), lambda: image)

    def contrast(image: tf.Tensor) -> tf.Tensor:
        return distort(image, 1, *_CONTRAST, tf.multiply)

    image = tf.cast(image, tf.float32) / 255
    image = distort(image, 0, -_BRIGHTNESS, _BRIGHTNESS, tf.add)
    contrast_first = tf.random.stateless_uniform((), seeds[8]) < 0.5
    image = tf.cond(contrast_first, lambda: contrast(image), lambda: image)
    image = distort(image, 2, *_SATURATION, tf.image.adjust_saturation)
    image = distort(image, 3, -_HUE, _HUE, tf.image.adjust_hue)
    image = tf.cond(contrast_first, lambda: image, lambda: contrast(image))
    return _to_bytes(image * 255)


def pad(image: tf.Tensor, mask: tf.Tensor, size: tuple[int, int]) -> tuple[tf.Tensor, tf.Tensor]:
    """Enlarges an image below and to the right with the mean pixel, and its mask with 255.

    Args:
        image: `(h, w, 3)`, uint8, no larger than `size`.
        mask: `(h, w)`, uint8.
        size: `(height, width)` in pixels.

    Returns:
        Image `(height, width, 3)` and mask `(height, width)`, of static shapes.
    """
    missing = tf.constant(size) - tf.shape(mask)
    margins = tf.stack([tf.zeros(2, tf.int32), missing], axis=1)  # (2 axes, before and after)
    mask = tf.pad(mask, margins, constant_values=IGNORE)
    channels = [tf.pad(image[..., channel], margins, constant_values=value) for channel, value in enumerate(PAD_COLOR)]
    return tf.ensure_shape(tf.stack(channels, axis=-1), (*size, 3)), tf.ensure_shape(mask, size)


def _to_bytes(image: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.clip_by_value(tf.round(image), 0, 255), tf.uint8)
