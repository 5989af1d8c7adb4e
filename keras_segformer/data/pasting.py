"""Objects of one crop laid over another."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def paste_classes(
    image: tf.Tensor,
    mask: tf.Tensor,
    other_image: tf.Tensor,
    other_mask: tf.Tensor,
    seed: tf.Tensor,
    classes: Sequence[int],
    probability: float = 0.5,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Lays the pixels of some classes of another crop over a crop, where they were.

    Rare classes are seen more often so, and before other backgrounds. Each class is taken or left as a whole.

    Args:
        image: `(H, W, 3)`, uint8.
        mask: `(H, W)`, uint8.
        other_image: The other crop, of the same shape.
        other_mask: Its mask.
        seed: Two integers.
        classes: The class indices that may be taken.
        probability: How often each of them is.

    Returns:
        Image and mask of the same shapes.

    Source: ClassMix (arXiv 2007.07936), without its half of all classes.

    Example:

    >>> black, white = tf.zeros((2, 2, 3), tf.uint8), tf.fill((2, 2, 3), tf.constant(255, tf.uint8))
    >>> road, signs = tf.zeros((2, 2), tf.uint8), tf.constant([[6, 0], [0, 0]], tf.uint8)
    >>> image, mask = paste_classes(black, road, white, signs, tf.constant([0, 1]), classes=[6], probability=1.0)
    >>> image[..., 0].numpy().tolist(), mask.numpy().tolist()
    ([[255, 0], [0, 0]], [[6, 0], [0, 0]])
    """
    taken = tf.random.stateless_uniform((len(classes),), seed) < probability
    is_class = other_mask[..., None] == tf.constant(classes, other_mask.dtype)  # (H, W, classes)
    pasted = tf.reduce_any(is_class & taken, axis=-1)
    return tf.where(pasted[..., None], other_image, image), tf.where(pasted, other_mask, mask)
