"""A small data set, and a network that is fast."""

from __future__ import annotations

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.data.examples import Examples, identity_values
from keras_segformer.label_sets import LabelSet
from tiny import light_segmenter

NUM_CLASSES = 5
SIZES = [(70, 90), (64, 64), (80, 50)]


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, format="PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def model() -> SegFormer:
    """Five classes, random weights."""
    keras.utils.set_random_seed(0)
    return light_segmenter(num_classes=NUM_CLASSES)


@pytest.fixture(scope="session")
def pictures() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images of random squares and masks of random stripes with ignored pixels, of different sizes, by name."""
    generator = np.random.default_rng(0)
    pairs = {}
    for number, (height, width) in enumerate(SIZES):
        image = generator.integers(0, 256, (height // 10 + 1, width // 10 + 1, 3), dtype=np.uint8)
        image = image.repeat(10, axis=0).repeat(10, axis=1)[:height, :width]
        mask = generator.integers(0, NUM_CLASSES, (height // 8 + 1, 1), dtype=np.uint8)
        mask = mask.repeat(8, axis=0).repeat(width, axis=1)[:height]
        mask[:, :7] = 255
        pairs[f"picture_{number}.png"] = (image, mask)
    return pairs


@pytest.fixture(scope="session")
def examples(pictures) -> Examples:
    """The pictures as a data set."""
    label_set = LabelSet.generic(NUM_CLASSES)
    encoded = {
        "image": [png(image) for image, _ in pictures.values()],
        "segmentation_mask": [png(mask) for _, mask in pictures.values()],
        "file_name": list(pictures),
    }
    dataset = tf.data.Dataset.from_tensor_slices(encoded)
    return Examples(dataset, len(pictures), label_set, identity_values(label_set))
