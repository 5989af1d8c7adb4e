"""A data set of noise in memory."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from fake_datasets import random_mask
from keras_segformer.data.examples import IMAGE, MASK, NAME, Examples, identity_values
from keras_segformer.label_sets import LabelSet


def noise_examples(count: int, num_classes: int) -> Examples:
    """Pictures of 40x50 pixels, with masks in which all classes and ignored pixels occur.

    Args:
        count: How many; they are called a, b and so on.
        num_classes: How many classes they have.
    """
    noise = [np.random.default_rng(seed).integers(0, 256, (40, 50, 3), dtype=np.uint8) for seed in range(count)]
    masks = [random_mask([*range(num_classes), 255], seed=seed)[..., None] for seed in range(count)]
    records = {
        IMAGE: [tf.io.encode_png(image).numpy() for image in noise],
        MASK: [tf.io.encode_png(mask).numpy() for mask in masks],
        NAME: [chr(ord("a") + index) for index in range(count)],
    }
    label_set = LabelSet.generic(num_classes)
    return Examples(tf.data.Dataset.from_tensor_slices(records), count, label_set, identity_values(label_set))
