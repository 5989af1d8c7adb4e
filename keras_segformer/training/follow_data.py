"""Values of a recipe that follow the data: sizes, batches, steps, learning rate, class weights and splits."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_segformer.data.examples import MASK, Examples
from keras_segformer.errors import InvalidRecipeError
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_rules import IGNORE
from keras_segformer.predict.sizes import ALIGNMENT, LONG_SIDE, Size, resize_shape
from keras_segformer.presets import PRESETS
from keras_segformer.training.defaults import LONGEST_WARMUP, RATE, WARMUP_STEPS
from keras_segformer.training.recipe import Recipe

_MEASURED = 200
"""Pictures whose sizes are looked at."""

_SMALLEST_SIDE, _LARGEST_SIDE = 128, 512
_LONGEST_ASPECT = 2.0
_STEP_PIXELS = 2**20
"""Pixels of a training step, so that it fits into some 3 GB with B0."""

_BATCH_SIZES = (2, 16)
_VALIDATION_SHARE = 0.2

_FINE_TUNING_RATE = 1.5e-4
_RANDOM_RATE = 3e-4
_LARGE_VARIANTS = ("b2", "b3", "b4", "b5")

_WEIGHT_RANGE = (0.5, 5.0)


@dataclasses.dataclass(frozen=True)
class DataFacts:
    """What a recipe may follow.

    Args:
        num_examples: Pictures in the training split.
        image_size: Median height and median width of the pictures in pixels.
        pixels: Pixels of each class, `(classes,)`, int64, where they were counted.
    """

    num_examples: int
    image_size: Size
    pixels: np.ndarray | None = None


def measure(examples: Examples, count_pixels: bool = False) -> DataFacts:
    """Looks at the examples of a training split.

    Args:
        examples: The examples.
        count_pixels: Whether the pixels of each class are counted, for which every mask is decoded.

    Returns:
        The facts.
    """
    masks = [record[MASK] for record in itertools.islice(examples.encoded.as_numpy_iterator(), _MEASURED)]
    height, width = np.median([_png_size(mask) for mask in masks], axis=0)
    return DataFacts(examples.size, (round(height), round(width)), _count_pixels(examples) if count_pixels else None)


def complete(recipe: Recipe, facts: DataFacts, num_replicas: int = 1) -> Recipe:
    """Fills in what a recipe leaves to the data.

    Args:
        recipe: The recipe, which says what it starts from.
        facts: The data.
        num_replicas: Devices among which a batch is divided.

    Returns:
        A recipe that leaves nothing open, but for the splits.

    Raises:
        InvalidRecipeError: A value does not go together with those that follow the data.

    Example:

    >>> recipe = Recipe(dataset="folder", epochs=30, initial="b0_ade20k")
    >>> completed = complete(recipe, DataFacts(num_examples=200, image_size=(720, 1280)))
    >>> completed.augmentation["crop_size"], completed.batch_size, completed.total_steps
    ((512, 896), 2, 3000)
    """
    recipe = recipe.replace(_sizes(recipe, facts.image_size))
    recipe = recipe.replace(_batches(recipe, facts, num_replicas))
    changes: dict[str, Any] = {}
    if "rate" not in recipe.schedule:
        changes["schedule.rate"] = _rate(recipe)
    if "warmup_steps" not in recipe.schedule:
        changes["schedule.warmup_steps"] = min(WARMUP_STEPS, int(LONGEST_WARMUP * recipe.total_steps))
    if recipe.loss.get("class_weights") == "auto":
        changes["loss.class_weights"] = class_weights(facts.pixels)
    return recipe.replace(changes)


def with_splits(recipe: Recipe, num_examples: int, has_validation: bool) -> Recipe:
    """Makes a validation split where the recipe leaves it to the data.

    Args:
        recipe: The recipe.
        num_examples: Pictures in the training split.
        has_validation: Whether the data have a validation split.

    Returns:
        The recipe with `validation_split`: a fifth of the training split, drawn by the seed, where the data have none.
        A single picture is used for both.

    Raises:
        InvalidRecipeError: The training split is a part of one already.

    Example:

    >>> recipe = Recipe(dataset="folder", epochs=30, validation_split=None)
    >>> split = with_splits(recipe, num_examples=20, has_validation=False)
    >>> split.train_split, split.validation_split
    ('train[:14]+train[18:]', 'train[14:18]')
    """
    if recipe.validation_split is not None:
        return recipe
    if has_validation:
        return recipe.replace({"validation_split": "val"})
    if recipe.train_split != "train":
        raise InvalidRecipeError(
            f"The data have no split val, and `train_split` is {recipe.train_split!r}; give `validation_split` too."
        )
    if num_examples == 1:
        return recipe.replace({"validation_split": "train"})
    # Examples were shuffled when they were prepared, so that a range of them is a random choice.
    held_out = max(1, round(_VALIDATION_SHARE * num_examples))
    start = int(np.random.default_rng(recipe.seed).integers(num_examples - held_out + 1))
    end = start + held_out
    around = [f"train[:{start}]"] * (start > 0) + [f"train[{end}:]"] * (end < num_examples)
    return recipe.replace({"train_split": "+".join(around), "validation_split": f"train[{start}:{end}]"})


def check_classes(recipe: Recipe, label_set: LabelSet) -> None:
    """Compares numbers of classes in a recipe with those of the data.

    Args:
        recipe: The recipe.
        label_set: The classes of the data.

    Raises:
        InvalidRecipeError: They differ.
    """
    names = ", ".join(label_set.names[:5]) + (", …" if label_set.num_classes > 5 else "")
    found = f"the data have {label_set.num_classes} classes ({names})"
    num_classes = recipe.model.get("num_classes")
    if num_classes is not None and not label_set.fits(num_classes):
        one = " or 1" if label_set.num_classes == 2 else ""
        raise InvalidRecipeError(
            f"`model.num_classes` (--classes) is {num_classes}, but {found}; give {label_set.num_classes}{one}, or "
            "name the classes in classes.json (`keras-segformer data classes` writes one)."
        )
    augmentations = [recipe.augmentation, *(phase.get("augmentation") or {} for phase in recipe.phases)]
    lists = [("loss.class_weights", recipe.loss.get("class_weights"))]
    lists += [("augmentation.class_frequencies", each.get("class_frequencies")) for each in augmentations]
    for name, values in lists:
        if isinstance(values, list) and len(values) != label_set.num_classes:
            raise InvalidRecipeError(
                f"`{name}` of {values} has {len(values)} numbers, but {found}; give one for each class."
            )
    for pasted in (each.get("paste_classes") or [] for each in augmentations):
        if max(pasted, default=0) >= label_set.num_classes:
            raise InvalidRecipeError(
                f"`augmentation.paste_classes` of {pasted} has an index that no class has, since {found}; give indices "
                f"from 0 to {label_set.num_classes - 1}."
            )


def class_weights(pixels: np.ndarray) -> list[float]:
    """Weights that make rare classes count more, though not as much as frequent ones in total.

    A class weighs the root of the median frequency over its own, from a half to five; the mean over the pixels is 1. A
    class that never occurs weighs 1.

    Args:
        pixels: Pixels of each class, `(classes,)`.

    Returns:
        The weights.

    Example:

    >>> class_weights(np.array([900, 100, 0]))
    [0.833, 2.5, 1.0]
    """
    occurs = pixels > 0
    frequencies = pixels[occurs] / pixels.sum()
    weights = np.ones(len(pixels))
    weights[occurs] = np.clip(np.sqrt(np.median(frequencies) / frequencies), *_WEIGHT_RANGE)
    weights[occurs] /= np.sum(weights[occurs] * frequencies)
    return [round(float(weight), 3) for weight in weights]


def _sizes(recipe: Recipe, image_size: Size) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    crop_size, input_size = recipe.augmentation.get("crop_size"), recipe.model.get("input_size")
    if crop_size is None:
        crop_size = input_size = input_size or _input_size(image_size)
        changes |= {"model.input_size": list(input_size), "augmentation.crop_size": list(crop_size)}
        if recipe.augmentation.get("base_size") is None and not recipe.augmentation.get("stretch"):
            changes["augmentation.base_size"] = [max(LONG_SIDE, *input_size), min(input_size)]
    if recipe.validation_size is None:
        changes["validation_size"] = list(resize_shape(image_size, "aligned", tuple(input_size or crop_size)))
    return changes


def _input_size(image_size: Size) -> Size:
    """A size of about the aspect ratio of the pictures, in multiples of 32 pixels."""
    short = min(_LARGEST_SIDE, max(_SMALLEST_SIDE, _aligned(min(image_size))))
    long = _aligned(short * min(_LONGEST_ASPECT, max(image_size) / min(image_size)))
    return (long, short) if image_size[0] > image_size[1] else (short, long)


def _aligned(side: float) -> int:
    return ALIGNMENT * round(side / ALIGNMENT)


def _batches(recipe: Recipe, facts: DataFacts, num_replicas: int) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    batch_size = recipe.batch_size
    if batch_size is None:
        low, high = _BATCH_SIZES
        batch_size = max(low, min(high, round(_STEP_PIXELS / math.prod(recipe.augmentation["crop_size"]))))
        batch_size = changes["batch_size"] = math.ceil(batch_size / num_replicas) * num_replicas
    if recipe.validation_batch_size is None:
        changes["validation_batch_size"] = max(1, min(8, _STEP_PIXELS // math.prod(recipe.validation_size)))
    if recipe.steps_per_epoch is None:
        changes["steps_per_epoch"] = math.ceil(facts.num_examples / batch_size)
    return changes


def _rate(recipe: Recipe) -> float:
    """Large networks and the paper's long runs want less than a short fine-tuning of B0."""
    if recipe.has_random_weights:
        return _RANDOM_RATE
    info = PRESETS.get(recipe.initial)
    return RATE if info and info.variant.endswith(_LARGE_VARIANTS) else _FINE_TUNING_RATE


def _png_size(png: bytes) -> Size:
    """Height and width in the first chunk of a PNG."""
    return int.from_bytes(png[20:24]), int.from_bytes(png[16:20])


def _count_pixels(examples: Examples) -> np.ndarray:
    def count(record: dict[str, tf.Tensor]) -> tf.Tensor:
        _, mask = examples.decode(record)  # the graph leaves out the picture, which nothing needs
        values = tf.cast(tf.reshape(mask, [-1]), tf.int32)
        return tf.cast(tf.math.bincount(values, minlength=IGNORE + 1), tf.int64)

    counts = examples.encoded.map(count, num_parallel_calls=tf.data.AUTOTUNE)
    total = counts.reduce(tf.zeros(IGNORE + 1, tf.int64), tf.add)
    return total.numpy()[: examples.label_set.num_classes]
