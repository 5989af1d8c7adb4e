"""Training on many devices: the strategies `none`, `mirrored` and `data-parallel`.

The latter two split every batch evenly among copies of the model. Together they make the step that one device would
make on the whole batch: loss, gradients and batch norm are those of the global batch.

- `mirrored` is `tf.distribute.MirroredStrategy`: all GPUs of one machine, with the TensorFlow backend.
- `data-parallel` is Keras' distribution API with the JAX backend: all accelerators of one machine or of several, GPUs
  or TPUs. On several machines the same command runs once on each, and the environment variables of
  `keras.distribution.initialize` describe the processes: `KERAS_DISTRIBUTION_JOB_ADDRESSES`,
  `KERAS_DISTRIBUTION_NUM_PROCESSES` and `KERAS_DISTRIBUTION_PROCESS_ID`. (On Cloud TPU and under Slurm JAX detects
  what is left out; one of them has to be set all the same, to say that there are several processes.)

`tf.distribute.MultiWorkerMirroredStrategy`, TensorFlow's strategy for several machines, is missing because Keras 3 does
not support it (keras-team/keras issue 20585).
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator

import keras
import tensorflow as tf

from keras_segformer.data.examples import Examples
from keras_segformer.data.pipeline import evaluation_dataset
from keras_segformer.mask_rules import IGNORE
from keras_segformer.training.choices import STRATEGIES

_NOT_MIRRORED = ("clipnorm", "global_clipnorm", "clipvalue", "gradient_accumulation_steps")
"""Options of optimizers that Keras applies before `tf.distribute` has summed the gradients of the replicas."""


@dataclasses.dataclass(frozen=True)
class Devices:
    """The devices that a training run uses, as `open_strategy` returns them.

    Args:
        strategy: One of `STRATEGIES`.
        num_replicas: How many copies of the model train, in all processes together.
        num_workers: How many processes train.
        worker: The number of this process, from 0.
    """

    strategy: str = "none"
    num_replicas: int = 1
    num_workers: int = 1
    worker: int = 0

    @property
    def is_chief(self) -> bool:
        """Whether this is the process that writes files and prints."""
        return self.worker == 0

    @property
    def workers(self) -> tuple[int, int]:
        """`num_workers` and `worker`, as `training_dataset` takes them.

        Pass it `batch_size // num_workers` too: then all processes together see what a single one would see. Keras' own
        sharding, which this replaces, would make every process decode and augment all pictures.
        """
        return self.num_workers, self.worker

    @property
    def can_predict(self) -> bool:
        """Whether this process may call the model outside of `fit` and `evaluate`.

        With several processes it may not: all of them have to take part in every computation.
        """
        return self.num_workers == 1

    def check_batch_size(self, batch_size: int) -> None:
        """Checks that a batch can be divided evenly.

        Args:
            batch_size: Examples of a batch, all devices together.

        Raises:
            ValueError: It cannot.

        Example:

        >>> Devices(num_replicas=4).check_batch_size(16)
        """
        if batch_size % self.num_replicas:
            raise ValueError(
                f"A batch of {batch_size} cannot be divided evenly among {self.num_replicas} devices; make the batch "
                f"size a multiple of {self.num_replicas}."
            )

    def check_optimizer(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Checks that an optimizer behaves on these devices as on a single one.

        Under `tf.distribute` Keras clips the gradients of every replica before it sums them, fails to accumulate
        gradients (keras-team/keras issue 20582), and checks only the first replica for overflow, so that the overflow
        of another one ends up in the weights.

        Args:
            optimizer: The optimizer of a compiled model.

        Raises:
            ValueError: It does not.

        Example:

        >>> Devices("mirrored", num_replicas=2).check_optimizer(keras.optimizers.Adam())
        """
        if self.strategy != "mirrored" or self.num_replicas == 1:
            return
        remedy = "or train with `--strategy data-parallel` and KERAS_BACKEND=jax"
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            raise ValueError(
                "Under the strategy mirrored Keras misses overflows of float16 on all devices but the first; use the "
                f"dtype mixed_bfloat16 or float32, {remedy}."
            )
        used = [option for option in _NOT_MIRRORED if getattr(optimizer, option) is not None]
        if used:
            raise ValueError(
                f"Under the strategy mirrored Keras applies {' and '.join(used)} to the gradients of single devices "
                f"instead of their sum; leave it out, {remedy}."
            )

    def evaluation_batches(
        self, examples: Examples, batch_size: int, size: tuple[int, int], antialias: bool = False
    ) -> tf.data.Dataset:
        """`evaluation_dataset` in batches that are divided evenly among the devices.

        The last batch is filled up with pictures without labels, which no metric counts. `batch_size` is
        rounded up to a multiple of the devices. Every process decodes all pictures and keeps its own.

        Args:
            examples: The examples.
            batch_size: Examples of a batch, all devices together.
            size: `(height, width)` in pixels that all are resized to.
            antialias: Whether the pictures are resized with antialiasing.

        Returns:
            Batches of images `(B, h, w, 3)` and masks `(B, h, w)`, uint8, for `fit(validation_data=...)`, where `B`
            is the part of this process.

        Example:

        ```python
        model.evaluate(devices.evaluation_batches(examples, batch_size=8, size=(512, 512)))
        ```
        """
        batch_size = -(-batch_size // self.num_replicas) * self.num_replicas

        def fill_and_share(images: tf.Tensor, masks: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            missing = [[0, batch_size - tf.shape(masks)[0]], [0, 0], [0, 0]]
            images = tf.pad(images, [*missing, [0, 0]])[self.worker :: self.num_workers]
            masks = tf.pad(masks, missing, constant_values=IGNORE)[self.worker :: self.num_workers]
            share = (batch_size // self.num_workers, *size)
            return tf.ensure_shape(images, (*share, 3)), tf.ensure_shape(masks, share)

        return evaluation_dataset(examples, batch_size, size, antialias).map(fill_and_share)


def open_strategy(name: str = "none") -> contextlib.AbstractContextManager[Devices]:
    """Opens the context in which a model is built, compiled and trained on several devices.

    Set the random seed before, so that all processes begin with the same weights, and load the data after: it has to
    be opened before TensorFlow and JAX compute anything. Among several processes it can be opened once, since JAX
    connects them once, and ends when all of them leave it.

    Args:
        name: One of `STRATEGIES`.

    Returns:
        A context manager, which gives the `Devices`.

    Raises:
        ValueError: There is no such strategy, or it needs another backend.

    Example:

    ```python
    with open_strategy("mirrored") as devices:
        devices.check_batch_size(16)
        model = SegFormer.from_preset("mit_b0_imagenet", num_classes=11)
        model.compile()
        devices.check_optimizer(model.optimizer)
        num_workers, worker = devices.workers
        dataset = training_dataset(
            examples, augmentation, 16 // num_workers, num_workers=num_workers, worker=worker
        )
        model.fit(dataset, steps_per_epoch=1000, validation_data=devices.evaluation_batches(examples, 8, (512, 512)))
    ```
    """
    if keras.backend.backend() != "tensorflow":
        _keep_tensorflow_off_the_gpus()
    if name == "none":
        return contextlib.nullcontext(Devices())
    if name == "mirrored":
        _require_backend(name, "tensorflow", other="data-parallel")
        return _mirrored()
    if name == "data-parallel":
        _require_backend(name, "jax", other="mirrored")
        return _data_parallel()
    raise ValueError(f"There is no strategy {name!r}; the strategies are {', '.join(STRATEGIES)}.")


@contextlib.contextmanager
def _mirrored() -> Iterator[Devices]:
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    with strategy.scope():
        yield Devices("mirrored", strategy.num_replicas_in_sync)


@contextlib.contextmanager
def _data_parallel() -> Iterator[Devices]:
    import jax

    is_one_of_several = any(variable.startswith("KERAS_DISTRIBUTION_") for variable in os.environ)
    if is_one_of_several:
        keras.distribution.initialize()
    distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
    with distribution.scope():
        yield Devices("data-parallel", distribution.device_mesh.devices.size, jax.process_count(), jax.process_index())
    if is_one_of_several:
        # Otherwise JAX does so at exit, and the others wait at most five minutes for the one that evaluates.
        jax.distributed.shutdown()


def _keep_tensorflow_off_the_gpus() -> None:
    """Keeps TensorFlow, which only reads the data, from reserving all memory of the GPUs."""
    # Too late if TensorFlow has computed something already, as in a notebook.
    with contextlib.suppress(RuntimeError):
        tf.config.set_visible_devices([], "GPU")


def _require_backend(strategy: str, backend: str, other: str) -> None:
    current = keras.backend.backend()
    if current != backend:
        raise ValueError(
            f"The strategy {strategy} needs the {backend} backend, and this is {current}; set KERAS_BACKEND={backend}, "
            f"or use the strategy {other}."
        )
