"""A program that trains for a few steps, once with each of several strategies: `few_steps.py FOLDER SETTINGS`.

The settings are a JSON object; each run is left in the folder under the name of its strategy.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parents[1]))
from keras_segformer import SegFormer
from keras_segformer.data.examples import IMAGE, MASK, NAME, Examples, identity_values
from keras_segformer.data.pipeline import training_dataset
from keras_segformer.evaluation import MeanIoU, PixelAccuracy
from keras_segformer.label_sets import LabelSet
from keras_segformer.training.losses import SegmentationLoss
from keras_segformer.training.optimizer import GroupedAdamW
from keras_segformer.training.strategies import open_strategy
from tiny import light_segmenter, tiny_config

SIZE = (32, 48)
BATCH_SIZE = 4
STEPS = 3
TRAINING, VALIDATION = 6, 5
NUM_CLASSES = 5


def examples(count: int, seed: int) -> Examples:
    """Noise, with very different numbers of labelled pixels."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *SIZE, 3), dtype=np.uint8)
    masks = rng.integers(0, NUM_CLASSES, (count, *SIZE, 1), dtype=np.uint8)
    for index, mask in enumerate(masks):
        mask[: SIZE[0] * index // count] = 255
    records = {
        IMAGE: [tf.io.encode_png(image).numpy() for image in images],
        MASK: [tf.io.encode_png(mask).numpy() for mask in masks],
        NAME: [str(index) for index in range(count)],
    }
    label_set = LabelSet.generic(NUM_CLASSES)
    return Examples(tf.data.Dataset.from_tensor_slices(records), count, label_set, identity_values(label_set))


def labelled_pixels(count: int) -> int:
    """The number of pixels with a label in so many examples."""
    return sum(SIZE[1] * (SIZE[0] - SIZE[0] * index // count) for index in range(count))


def as_it_is(image: tf.Tensor, mask: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """An augmentation that changes nothing."""
    return tf.ensure_shape(image, (*SIZE, 3)), tf.ensure_shape(mask, SIZE)


def build(light: bool) -> SegFormer:
    """A segmenter without randomness."""
    if light:
        return light_segmenter(num_classes=NUM_CLASSES, decoder_dropout=0.0)
    return SegFormer(tiny_config(num_classes=NUM_CLASSES, drop_path_rate=0.0, decoder_dropout=0.0))


def score() -> dict[str, Any]:
    """What the metrics make of fixed logits."""
    logits = np.random.default_rng(0).normal(size=(8, 6, 6, 3)).astype("float32")
    labels = np.random.default_rng(1).integers(0, 3, (8, 6, 6))
    inputs = keras.Input((6, 6, 3))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    metrics = [MeanIoU(3, "fixed_iou"), PixelAccuracy("fixed_accuracy")]
    model.compile(loss="sparse_categorical_crossentropy", metrics=metrics)
    results = model.evaluate(logits, labels, batch_size=BATCH_SIZE, verbose=0, return_dict=True)
    counts = metrics[0].confusion_matrix().counts
    assert counts.sum() == labels.size
    return {"fixed_counts": counts} | {metric.name: results[metric.name] for metric in metrics}


def train(strategy: str, light: bool, optimizer: dict[str, Any], loss: dict[str, Any]) -> dict[str, Any] | None:
    """What training leaves: every variable, the figures, and the labels of a picture where one may be predicted."""
    keras.utils.clear_session()  # runs of one process have the same names
    keras.utils.set_random_seed(0)
    with open_strategy(strategy) as devices:
        devices.check_batch_size(BATCH_SIZE)
        model = build(light)
        # The gradient of a bias before batch norm is zero but for rounding, which Adam's usual epsilon would blow up.
        model.compile(
            GroupedAdamW(1e-3, epsilon=1e-4, **optimizer), SegmentationLoss(**loss), metrics=[MeanIoU(NUM_CLASSES)]
        )
        devices.check_optimizer(model.optimizer)
        num_workers, worker = devices.workers
        dataset = training_dataset(
            examples(TRAINING, seed=0), as_it_is, BATCH_SIZE // num_workers, num_workers=num_workers, worker=worker
        )
        validation = devices.evaluation_batches(examples(VALIDATION, seed=1), BATCH_SIZE, SIZE)
        history = model.fit(dataset, steps_per_epoch=STEPS, validation_data=validation, verbose=0).history
        variables = {variable.path: variable for variable in (*model.variables, *model.optimizer.variables)}
        values = {path: keras.ops.convert_to_numpy(variable) for path, variable in variables.items()}
        fixed = score() if keras.backend.backend() == "tensorflow" else {}
        labels = model.segment(np.full((*SIZE, 3), 99, np.uint8), size="native") if devices.can_predict else ()
    figures = {name: value for name, (value,) in history.items()}
    about = {"replicas": devices.num_replicas, "synchronized": model.decoder.batch_norm.synchronized, "labels": labels}
    return values | figures | fixed | about if devices.is_chief else None


if __name__ == "__main__":
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy keyword")
    cpus = [tf.config.LogicalDeviceConfiguration()] * settings["cpus"]
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], cpus)
    for strategy in settings["strategies"]:
        results = train(strategy, settings["light"], settings["optimizer"], settings["loss"])
        if results:
            np.savez(folder / f"{strategy}.npz", **results)
