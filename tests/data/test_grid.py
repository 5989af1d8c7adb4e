"""The picture of augmented samples."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.data.augmentation import random_crop
from keras_segformer.data.examples import Examples
from keras_segformer.data.grid import sample_grid
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.visualization import overlay
from noise_examples import noise_examples

GAP = 6


def crop(image: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A random window of 32x48, and nothing else."""
    return random_crop(image, mask, seed, (32, 48), cat_max_ratio=1)


@pytest.fixture(scope="module")
def examples() -> Examples:
    return noise_examples(3, num_classes=2)


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (4, 2, 2), (13, 3, 5)])
def test_samples_stand_in_rows(examples, count, columns, rows):
    grid = sample_grid(examples, crop, count)
    assert grid.dtype == np.uint8
    assert grid.shape[0] == rows * (32 + GAP)
    assert grid.shape[1] > columns * (2 * 48 + GAP), "the legend stands on the right"


def test_samples_are_those_of_a_training_run(examples):
    grid = sample_grid(examples, crop, count=4, seed=5)
    samples = training_dataset(examples, crop, batch_size=4, seed=5)
    images, masks = next(samples.as_numpy_iterator())
    for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
        top, left = GAP + index // 2 * (32 + GAP), GAP + index % 2 * (2 * 48 + GAP)
        np.testing.assert_array_equal(grid[top : top + 32, left : left + 48], image)
        painted = overlay(image, mask, examples.label_set)
        np.testing.assert_array_equal(grid[top : top + 32, left + 48 : left + 96], painted)
    assert (grid != sample_grid(examples, crop, count=4, seed=6)).any()


def test_places_that_are_left_over_are_white(examples):
    grid = sample_grid(examples, crop, count=3)
    assert (grid[-32:, 2 * (GAP + 48) + GAP : 2 * (GAP + 2 * 48)] == 255).all()
