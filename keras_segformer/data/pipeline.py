"""From examples on disk to batches for `fit`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from keras_segformer.data.augmentation import Augmentation, resize
from keras_segformer.data.examples import Examples
from keras_segformer.data.pasting import paste_classes

SHUFFLE_BUFFER = 4096
"""Encoded examples that are shuffled at once: all of the small data sets, some 200 MB of the large ones."""

Record = dict[str, tf.Tensor]
Augment = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def training_dataset(
    examples: Examples,
    augmentation: Augment,
    batch_size: int,
    seed: int = 0,
    start: int = 0,
    num_workers: int = 1,
    worker: int = 0,
) -> tf.data.Dataset:
    """An endless stream of augmented batches, reshuffled every epoch.

    What the stream yields at a position depends only on `seed` and the position: the order of an epoch depends on its
    number, the augmentation on the running number of the example. Hence a run that continues at `start` sees exactly
    what the interrupted one would have seen, and workers that share a stream together see what a single one would see.

    Args:
        examples: The examples.
        augmentation: From image `(H, W, 3)`, mask `(H, W)` and a seed of two integers to both of one fixed size;
            for example an `Augmentation`.
        batch_size: Examples of a batch of this worker.
        seed: Number of the stream.
        start: Examples of the stream, all workers together, to pass over: the global batch size times the steps
            done.
        num_workers: How many processes share the stream.
        worker: Which of them this one is, from 0.

    Returns:
        Batches of images `(B, h, w, 3)` and masks `(B, h, w)`, uint8, without end.

    Raises:
        ValueError: `worker` is not below `num_workers`, or a number is out of range.

    Example:

    ```python
    dataset = training_dataset(examples, Augmentation((512, 512)), batch_size=16)
    model.fit(dataset, steps_per_epoch=1000, epochs=160, shuffle=False)
    ```
    """
    if batch_size < 1 or start < 0 or not 0 <= worker < num_workers:
        raise ValueError(
            "`batch_size` must be at least 1, `start` at least 0 and `worker` below `num_workers`; got "
            f"{batch_size}, {start} and {worker} of {num_workers}."
        )
    epoch, offset = divmod(start, examples.size)

    def shuffled(number: tf.Tensor) -> tf.data.Dataset:
        # Only for the graph of this function; otherwise the global seed, which `set_random_seed` sets, would matter.
        tf.random.set_seed(1)
        buffer = min(examples.size, SHUFFLE_BUFFER)
        return examples.encoded.shuffle(buffer, seed=number + (seed << 32), reshuffle_each_iteration=False)

    def prepare(index: tf.Tensor, record: Record) -> tuple[tf.Tensor, tf.Tensor]:
        return augmentation(*examples.decode(record), tf.stack([tf.constant(seed, tf.int64), index]))

    stream = tf.data.Dataset.counter(epoch).flat_map(shuffled).skip(offset)
    if isinstance(augmentation, Augmentation) and augmentation.paste:
        prepare = _pasting(examples, augmentation, seed)
        stream = tf.data.Dataset.zip(stream, stream.skip(1))
    return (
        stream.enumerate(start)
        .shard(num_workers, worker)
        .map(prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def _pasting(
    examples: Examples, augmentation: Augmentation, seed: int
) -> Callable[[tf.Tensor, tuple[Record, Record]], tuple[tf.Tensor, tf.Tensor]]:
    """Prepares an example, of the index given, and what the next one has of rare classes."""
    crop = dataclasses.replace(augmentation, paste=0.0)

    def prepare(index: tf.Tensor, records: tuple[Record, Record]) -> tuple[tf.Tensor, tf.Tensor]:
        own = tf.stack([tf.constant(seed, tf.int64), index])
        others, taken = (tf.random.experimental.stateless_fold_in(own, number) for number in (1, 2))
        image, mask = crop(*examples.decode(records[0]), own)
        other = crop(*examples.decode(records[1]), others)
        return paste_classes(image, mask, *other, taken, augmentation.paste_classes or (), augmentation.paste)

    return prepare


def evaluation_dataset(
    examples: Examples, batch_size: int = 1, size: tuple[int, int] | None = None, antialias: bool = False
) -> tf.data.Dataset:
    """The examples once, in their order, without augmentation.

    Args:
        examples: The examples.
        batch_size: Examples of a batch; above 1 they need to be of one size, as `size` makes them.
        size: `(height, width)` in pixels that all are resized to. With one size a network is compiled once.
        antialias: Whether the pictures are resized with antialiasing.

    Returns:
        Batches of images `(B, h, w, 3)` and masks `(B, h, w)`, uint8; their number is known.

    Raises:
        ValueError: `batch_size` is above 1 and there is no `size`.

    Example:

    ```python
    model.evaluate(evaluation_dataset(examples, batch_size=8, size=(512, 512)))
    ```
    """
    if batch_size > 1 and size is None:
        raise ValueError("Pictures of different sizes cannot be batched; give `size`, or leave `batch_size` at 1.")
    dataset = examples.encoded.apply(tf.data.experimental.assert_cardinality(examples.size))
    dataset = dataset.map(examples.decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if size is not None:
        dataset = dataset.map(
            lambda image, mask: _resized(image, mask, size, antialias),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
    return dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def _resized(image: tf.Tensor, mask: tf.Tensor, size: tuple[int, int], antialias: bool) -> tuple[tf.Tensor, tf.Tensor]:
    image, mask = resize(image, mask, size, antialias)
    return tf.ensure_shape(image, (*size, 3)), tf.ensure_shape(mask, size)
