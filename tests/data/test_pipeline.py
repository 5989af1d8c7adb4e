"""Pipelines: what comes at a position depends on seed and position alone."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.data.augmentation import Augmentation
from keras_segformer.data.examples import Examples, identity_values
from keras_segformer.data.pipeline import evaluation_dataset, training_dataset
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet

SIZE = 7


def examples(height: int = 40, width: int = 48) -> Examples:
    """Pictures whose grey value is their number."""
    label_set = LabelSet.generic(3)
    images = [tf.io.encode_png(tf.fill((height, width, 3), tf.constant(20 * n, tf.uint8))).numpy() for n in range(SIZE)]
    masks = [tf.io.encode_png(tf.fill((height, width, 1), tf.constant(n % 4, tf.uint8))).numpy() for n in range(SIZE)]
    encoded = tf.data.Dataset.from_tensor_slices(
        {"image": images, "segmentation_mask": masks, "file_name": [str(n) for n in range(SIZE)]}
    )
    return Examples(encoded, SIZE, label_set, identity_values(label_set))


def keep(image: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.ensure_shape(image, (40, 48, 3)), tf.ensure_shape(mask, (40, 48))


def draw(image: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A random augmentation that is traced in less time than ours."""
    noise = tf.random.stateless_uniform((40, 48, 3), seed, 0, 20, tf.int32)
    image, mask = keep(image, mask, seed)
    return image + tf.cast(noise, tf.uint8), mask


def numbers(dataset: tf.data.Dataset, batches: int) -> list[int]:
    """The numbers of the pictures that come."""
    return [int(image[0, 0, 0]) // 20 for images, _ in dataset.take(batches) for image in images.numpy()]


def arrays(dataset: tf.data.Dataset, batches: int) -> list[np.ndarray]:
    return [images.numpy() for images, _ in dataset.take(batches)]


class TestTraining:
    def test_every_example_comes_once_an_epoch_in_a_new_order(self):
        order = numbers(training_dataset(examples(), keep, 1), 4 * SIZE)
        epochs = [tuple(order[start : start + SIZE]) for start in range(0, 4 * SIZE, SIZE)]
        assert all(sorted(epoch) == list(range(SIZE)) for epoch in epochs)
        assert len(set(epochs)) > 1

    def test_masks_are_class_indices(self):
        masks = np.concatenate([masks for _, masks in training_dataset(examples(), keep, 1).take(SIZE)])
        assert set(np.unique(masks)) == {0, 1, 2, 255}

    @pytest.mark.parametrize("steps", [1, 3, 9])
    def test_it_goes_on_where_it_stopped(self, steps):
        whole = arrays(training_dataset(examples(), draw, 2, seed=4), steps + 3)
        rest = arrays(training_dataset(examples(), draw, 2, seed=4, start=2 * steps), 3)
        np.testing.assert_array_equal(whole[steps:], rest)

    def test_the_seed_counts_and_the_global_one_does_not(self):
        def run(global_seed: int, seed: int) -> list[np.ndarray]:
            keras.utils.set_random_seed(global_seed)
            return arrays(training_dataset(examples(), Augmentation((32, 32)), 2, seed=seed), 5)

        one = run(0, 1)
        np.testing.assert_array_equal(one, run(5, 1))
        assert not np.array_equal(one, run(0, 2))

    def test_rare_classes_of_the_next_crop_are_pasted(self):
        augmentation = Augmentation((32, 32), scale=(1, 1), flip=0, photometric=False, cat_max_ratio=1)
        pasting = dataclasses.replace(augmentation, paste=1.0, paste_classes=(1,))
        plain, pasted = (
            [(int(images[0, 0, 0, 0]), int(masks[0, 0, 0])) for images, masks in dataset.take(2 * SIZE)]
            for dataset in (training_dataset(examples(), each, 1) for each in (augmentation, pasting))
        )
        following = [*plain[1:], (None, None)]
        expected = [after if after[1] == 1 else before for before, after in zip(plain, following, strict=True)]
        assert pasted[:-1] == expected[:-1]
        assert pasted[:-1] != plain[:-1]

    @pytest.mark.parametrize("steps", [1, 3])
    def test_pasting_goes_on_where_it_stopped(self, steps):
        pasting = Augmentation((32, 32), paste=0.5, paste_classes=(1, 2))
        whole = arrays(training_dataset(examples(), pasting, 2, seed=4), steps + 3)
        rest = arrays(training_dataset(examples(), pasting, 2, seed=4, start=2 * steps), 3)
        np.testing.assert_array_equal(whole[steps:], rest)
        for worker in range(2):
            part = arrays(training_dataset(examples(), pasting, 1, 4, 0, 2, worker), 3)
            np.testing.assert_array_equal(np.concatenate(part), np.stack([each[worker] for each in whole[:3]]))

    @pytest.mark.parametrize("num_workers", [2, 3])
    def test_workers_see_together_what_one_would(self, num_workers):
        whole = arrays(training_dataset(examples(), draw, 6, seed=1), 3)
        parts = [
            arrays(training_dataset(examples(), draw, 6 // num_workers, 1, 0, num_workers, worker), 3)
            for worker in range(num_workers)
        ]
        for step in range(3):
            for worker in range(num_workers):
                np.testing.assert_array_equal(whole[step][worker::num_workers], parts[worker][step])

    def test_shapes_are_static(self):
        images, masks = training_dataset(examples(), Augmentation((32, 40)), 2).element_spec
        assert images.shape[1:] == (32, 40, 3)
        assert masks.shape[1:] == (32, 40)
        assert images.dtype == masks.dtype == tf.uint8

    @pytest.mark.parametrize(
        "arguments", [{"batch_size": 0}, {"start": -1}, {"num_workers": 2, "worker": 2}, {"worker": -1}]
    )
    def test_wrong_arguments_are_named(self, arguments):
        with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
            training_dataset(examples(), keep, **{"batch_size": 2, **arguments})


class TestEvaluation:
    def test_examples_come_once_in_their_order(self):
        dataset = evaluation_dataset(examples())
        assert len(dataset) == SIZE
        assert numbers(dataset, -1) == list(range(SIZE))

    def test_batches_of_one_size(self):
        dataset = evaluation_dataset(examples(), batch_size=3, size=(32, 64))
        assert [tuple(images.shape) for images, _ in dataset] == [(3, 32, 64, 3), (3, 32, 64, 3), (1, 32, 64, 3)]
        assert [tuple(masks.shape) for _, masks in dataset] == [(3, 32, 64), (3, 32, 64), (1, 32, 64)]

    def test_batches_need_a_size(self):
        with pytest.raises(ValueError, match="give `size`"):
            evaluation_dataset(examples(), batch_size=2)


def test_a_data_set_needs_examples():
    label_set = LabelSet.generic(3)
    with pytest.raises(InvalidDatasetError, match="no example"):
        Examples(tf.data.Dataset.range(0), 0, label_set, identity_values(label_set))
