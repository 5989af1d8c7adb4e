"""Augmentation layers of keras-cv, with masks that keep their integer values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_segformer.data.augmentation import check_pair
from keras_segformer.mask_rules import IGNORE

# So far apart that rounding, which RandomRotation does, cannot make a value of a blend of two. The largest code,
# 256 * (255**2 + 1), still is a whole number in float32.
_SCALE = 256.0

# More than what interpolation between equal values is off by in float32. Less than what gives away a blend of two
# values that falls on a third: its second number is too large by at least 1, less 510 times what its first is off by.
_TOLERANCES = (1 / 1024, 1 / 16)


def from_keras_cv(layer: keras.layers.Layer) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """Makes an augmentation for `training_dataset` of a keras-cv layer.

    Whatever the layer does, every pixel of the resulting mask has a value that the mask had before, or 255. keras-cv
    fills masks with 0, which is a class, or with the colour given for images, and interpolates some of them. Therefore
    it receives every value `m` as the pair `(m, m² + 1)`. A pixel filled with one constant is not such a pair, and
    since the parabola is strictly convex, neither is a blend of two pairs: both become 255.

    keras-cv draws from its own generators. The `seed` of the call has no effect, and a resumed run does not repeat the
    draws of the interrupted one.

    Args:
        layer: A layer that takes a dictionary of `images` and `segmentation_masks`, such as
            `keras_cv.layers.RandomFlip`, `JitteredResize`, `RandomCropAndResize` or a colour layer on the scale 0..255.
            For RandomRotation, leave `segmentation_classes` out.

    Returns:
        A function of an image `(H, W, 3)`, uint8, a mask `(H, W)`, uint8, and optionally a seed, which returns both,
        uint8, for use in `tf.data`.

    Raises:
        ValueError: The layer computes in half precision, which cannot hold the pairs.

    Example:

    ```python
    flip = from_keras_cv(keras_cv.layers.RandomFlip("horizontal"))
    dataset = training_dataset(examples, flip, batch_size=16)
    ```
    """
    if layer.compute_dtype != "float32":
        raise ValueError(f"Layer '{layer.name}' computes in {layer.compute_dtype}; make it with dtype='float32'.")

    def augment(image: tf.Tensor, mask: tf.Tensor, seed: Any = None) -> tuple[tf.Tensor, tf.Tensor]:
        check_pair(image, mask)
        inputs = {"images": tf.cast(image, tf.float32), "segmentation_masks": _encode(mask)}
        outputs = layer(inputs, training=True)
        image = tf.saturate_cast(tf.round(outputs["images"]), tf.uint8)
        return image, _decode(outputs["segmentation_masks"], mask)

    return augment


def _encode(mask: tf.Tensor) -> tf.Tensor:
    """Every value as its pair, `(H, W, 2)`, float32."""
    values = tf.cast(mask, tf.float32)
    return _SCALE * tf.stack([values, values**2 + 1], axis=-1)


def _decode(pairs: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """The values of pairs `(h, w, 2)`; 255 where there are none, or where the mask did not hold them before."""
    first, second = tf.unstack(tf.cast(pairs, tf.float32) / _SCALE, axis=-1)
    values = tf.clip_by_value(tf.round(first), 0, IGNORE)
    held = tf.math.bincount(tf.cast(tf.reshape(before, [-1]), tf.int32), minlength=256) > 0
    is_pair = (tf.abs(first - values) < _TOLERANCES[0]) & (tf.abs(second - values**2 - 1) < _TOLERANCES[1])
    is_held = tf.gather(held, tf.cast(values, tf.int32))
    return tf.where(is_pair & is_held, tf.cast(values, tf.uint8), tf.constant(IGNORE, tf.uint8))
