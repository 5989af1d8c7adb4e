"""Times an input pipeline, and a model that trains on its batches."""

from __future__ import annotations

import itertools
import time

import keras
import tensorflow as tf

_WARM_UP = 2


def pipeline_speed(dataset: tf.data.Dataset, batches: int = 20) -> float:
    """Times a pipeline on its own.

    Args:
        dataset: Batches of images and masks, at least `batches` and two.
        batches: How many to time; two before them fill the buffers.

    Returns:
        Images per second.

    Example:

    ```python
    pipeline_speed(training_dataset(examples, Augmentation((512, 512)), batch_size=8))
    ```
    """
    iterator = iter(dataset)
    for _ in range(_WARM_UP):
        next(iterator)
    start = time.perf_counter()
    images = sum(int(tf.shape(images)[0]) for images, _ in itertools.islice(iterator, batches))
    return images / (time.perf_counter() - start)


def training_speed(model: keras.Model, images: tf.Tensor, masks: tf.Tensor, steps: int = 5) -> float:
    """Times the training steps of a model on one batch again and again. Its weights change.

    Args:
        model: A compiled model.
        images: `(B, h, w, 3)`, uint8.
        masks: `(B, h, w)`, uint8.
        steps: How many to time; two before them compile the step.

    Returns:
        Images per second.

    Example:

    ```python
    images, masks = next(iter(dataset))
    training_speed(model, images, masks)
    ```
    """
    for _ in range(_WARM_UP):
        model.train_on_batch(images, masks)
    start = time.perf_counter()
    for _ in range(steps):
        model.train_on_batch(images, masks)
    return steps * len(images) / (time.perf_counter() - start)
