"""Objects of one crop laid over another."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.data.pasting import paste_classes


def crops():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (2, 8, 9, 3), np.uint8)
    masks = generator.choice(np.array([0, 1, 2, 3, 255], np.uint8), (2, 8, 9))
    return images, masks


@pytest.mark.parametrize("seed", range(8))
def test_each_class_is_pasted_as_a_whole_or_not_at_all(seed):
    images, masks = crops()
    image, mask = paste_classes(images[0], masks[0], images[1], masks[1], tf.constant([seed, 1]), classes=[1, 3])
    from_other = np.all(image == images[1], axis=-1)
    np.testing.assert_array_equal(image, np.where(from_other[..., None], images[1], images[0]))
    np.testing.assert_array_equal(mask, np.where(from_other, masks[1], masks[0]))
    taken = set(np.unique(masks[1][from_other]))
    assert taken <= {1, 3}
    np.testing.assert_array_equal(from_other, np.isin(masks[1], list(taken)))


@pytest.mark.parametrize(("probability", "least", "most"), [(0.0, 0, 0), (0.3, 0.2, 0.4), (1.0, 1, 1)])
def test_probability(probability, least, most):
    images, masks = crops()
    arguments = (images[0], np.zeros_like(masks[0]), images[1], masks[1])
    pasted = [
        3 in paste_classes(*arguments, tf.constant([seed, 0]), classes=[3], probability=probability)[1].numpy()
        for seed in range(200)
    ]
    assert least <= np.mean(pasted) <= most


def test_ignored_pixels_are_never_pasted():
    images, masks = crops()
    arguments = (images[0], masks[0], images[1], masks[1], tf.constant([0, 0]))
    _, mask = paste_classes(*arguments, classes=[0, 1, 2, 3], probability=1.0)
    np.testing.assert_array_equal(mask, np.where(masks[1] == 255, masks[0], masks[1]))
