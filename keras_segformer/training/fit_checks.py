"""Checks that `fit` makes before the first step."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import GeneratorType
from typing import Any

import keras
import numpy as np

from keras_segformer.errors import InvalidDatasetError
from keras_segformer.mask_rules import MaskRules, check_sizes

_FIRST_BATCHES = 2
_FIRST_MASKS = 512
"""Masks of an array whose pixels are counted by class. All masks are checked for invalid labels."""


def check_class_weight(class_weight: Mapping[int, float] | None, num_classes: int) -> None:
    """Refuses Keras' class weights, which are for one label per example.

    Args:
        class_weight: As given to `fit`.
        num_classes: Channels of the logits.

    Raises:
        ValueError: There are class weights; the message names the loss that takes them.
    """
    if class_weight is None:
        return
    weights = [float(class_weight.get(index, 1.0)) for index in range(max(num_classes, 2))]
    raise ValueError(
        "`class_weight` is for one label per example, and a mask has many; compile with "
        f"`loss=SegmentationLoss(class_weights={weights})`."
    )


def check_validation_data(validation_data: Any) -> None:
    """Refuses pictures without masks, and more than Keras takes.

    Args:
        validation_data: As given to `fit`.

    Raises:
        ValueError: It is a tuple or list of another length than 2 or 3.
    """
    if isinstance(validation_data, list | tuple) and len(validation_data) not in (2, 3):
        raise ValueError(
            f"`validation_data` has {len(validation_data)} part(s), and needs pictures and masks, with or without "
            "weights; give `(images, masks)`, `(images, masks, sample_weight)` or a data set."
        )


def check_callbacks(callbacks: Any, schedule: Any) -> None:
    """Refuses callbacks that would not do what they are meant to.

    These are callbacks that set the learning rate of an optimizer whose rate follows a schedule; and, with versions of
    Keras that guess from a metric's name whether higher is better, a `ModelCheckpoint` that would keep the worst IoU.

    Args:
        callbacks: As given to `fit`.
        schedule: The default schedule; `None` if the rate can be set.

    Raises:
        ValueError: There is such a callback; the message names the remedy.
    """
    setters = keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler
    for callback in getattr(callbacks, "callbacks", None) or keras.tree.flatten(callbacks):
        if schedule is not None and isinstance(callback, setters):
            raise ValueError(
                f"{type(callback).__name__} sets the learning rate, which follows the default schedule; compile with a "
                "constant one, `model.compile(learning_rate=6e-5)`."
            )
        is_checkpoint = isinstance(callback, keras.callbacks.ModelCheckpoint) and callback.save_best_only
        if is_checkpoint and callback.monitor_op is np.less and "iou" in callback.monitor:
            raise ValueError(
                f"This version of Keras would keep the epoch with the lowest {callback.monitor}; pass mode='max' to "
                "ModelCheckpoint."
            )


def check_masks(x: Any, y: Any, rules: MaskRules, names: Sequence[str], what: str, sample_weight: Any = None) -> Any:
    """Checks the masks that are passed to `fit`: all of an array, the first batches of a data set.

    Pictures that look to be on another scale than 0..255 are warned of.

    Args:
        x: A data set of (images, masks), with or without weights, or images.
        y: Masks, where `x` is images.
        rules: The rules for valid masks.
        names: The names of the classes.
        what: How messages call the masks.
        sample_weight: Weights, where `x` is images.

    Returns:
        `x`, or a generator that yields the same.

    Raises:
        InvalidDatasetError: Invalid labels, no label at all in an array, another aspect ratio, or pictures with values
            that are not finite.
        ValueError: Images without masks; lists instead of arrays; or weights that are negative, not finite, all zero or
            of another shape.
    """
    if y is None and hasattr(x, "shape"):
        raise ValueError("There are pictures, but not their masks; pass both, as in `fit(images, masks)`.")
    if y is not None:
        _check_arrays({"pictures": x, "masks": y, "sample_weight": sample_weight})
        masks = _array(y)
        if not masks.size:
            raise ValueError(
                f"The masks are empty, of the shape {masks.shape}; pass at least one picture with its mask."
            )
        _check_batch(x, masks, rules, what)
        check_sample_weight(sample_weight, masks.shape)
        if sample_weight is not None and not np.any(sample_weight):
            raise ValueError(
                "`sample_weight` is 0 throughout, so that nothing counts; give what counts a weight above 0."
            )
        check_scale([x])
        _warn(rules, rules.counts(masks[:_FIRST_MASKS]), names, what, is_all=len(masks) <= _FIRST_MASKS)
        return x
    batches, x = _first_batches(x)
    for batch in batches:
        _check_pair(batch)
    check_scale([images for images, *_ in batches])
    counts = np.zeros(rules.num_labels + 1, np.int64)
    for images, masks, *weights in batches:
        masks = _array(masks)
        _check_batch(images, masks, rules, what)
        for each in weights:
            check_sample_weight(each, masks.shape)
        counts += rules.counts(masks)
    if counts.any():
        _warn(rules, counts, names, f"{what} of the first batches", is_all=False)
    return x


def check_sample_weight(weights: Any, shape: Sequence[int]) -> None:
    """Refuses weights that would make the loss negative or NaN, and those that do not fit the masks.

    Args:
        weights: As given to `fit`; `None` for none.
        shape: The shape of the masks.

    Raises:
        ValueError: They are such weights.

    Example:

    >>> check_sample_weight(np.ones(8), (8, 64, 64))
    """
    if weights is None:
        return
    weights, (count, height, width) = _array(weights), shape[:3]
    if weights.shape not in ((count,), (count, 1), (count, height, width), (count, height, width, 1)):
        raise ValueError(
            f"`sample_weight` must be a number per picture {(count,)} or per pixel {(count, height, width)}; got the "
            f"shape {weights.shape}."
        )
    if weights.size and not (np.isfinite(weights).all() and weights.min() >= 0):
        raise ValueError(
            f"`sample_weight` must be finite numbers from 0 on; got values from {weights.min():g} to "
            f"{weights.max():g}: leave pictures and pixels out with 0."
        )


def _check_arrays(parts: Mapping[str, Any]) -> None:
    """Refuses lists, each of whose items Keras takes for an input of its own."""
    for name, part in parts.items():
        if isinstance(part, list | tuple):
            raise ValueError(
                f"The {name} are a {type(part).__name__} of {len(part)}; pass one array, which `numpy.stack` makes of "
                "pictures or masks of one size and `numpy.array` of numbers."
            )


def _check_pair(batch: Any) -> None:
    """Refuses batches of a data set from which Keras would get no pictures or no masks."""
    if isinstance(batch, Mapping):
        names = ", ".join(map(repr, batch))
        raise ValueError(
            f"The data set yields dictionaries of {names}; make pairs of them, as with `dataset.map(lambda each: "
            '(each["image"], each["mask"]))`.'
        )
    if not isinstance(batch, list | tuple) or len(batch) < 2 or batch[1] is None:
        raise ValueError("The data set yields pictures without masks; make pairs of (images, masks).")
    images, masks, *_ = batch
    if hasattr(masks, "ragged_rank") or hasattr(images, "ragged_rank"):
        raise ValueError(
            "The batches are ragged, their pictures differ in size; crop, pad or resize pictures and masks to one "
            "size, or take batches of one picture."
        )
    shape = tuple(getattr(masks, "shape", ()))
    if len(getattr(images, "shape", ())) == 3 and (len(shape) == 2 or shape[2:] == (1,)):
        raise ValueError("The data set yields single pictures, not batches; batch it, as with `dataset.batch(8)`.")


def _check_batch(images: Any, masks: np.ndarray, rules: MaskRules, what: str) -> None:
    shape = tuple(getattr(images, "shape", ()))
    if len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3):
        raise ValueError(
            f"The pictures have the shape {shape}, their channels first; put them last, as with "
            "`numpy.transpose(images, (0, 2, 3, 1))`."
        )
    rules.check(masks, what)
    if len(shape) == 4:
        check_sizes(shape[1:3], masks.shape[1:3], "pictures")


def check_scale(batches: Sequence[Any], stacklevel: int = 5) -> None:
    """Warns of pictures whose values are not those of 0..255, and refuses those that would make the loss NaN.

    Args:
        batches: Batches of pictures; anything that is not such an array is skipped.
        stacklevel: The distance to the caller whom a warning names; by default that of `fit`.

    Raises:
        InvalidDatasetError: A value is not finite.

    Example:

    >>> check_scale([np.full((1, 32, 32, 3), 255.0)])
    """
    pictures = [_array(each) for each in batches if len(getattr(each, "shape", ())) == 4]
    # Bytes can be wrong in one way alone, which their first pictures show.
    pictures = [each[:_FIRST_MASKS] if each.dtype == np.uint8 else each for each in pictures]
    pictures = [each for each in pictures if each.size and each.dtype.kind in "fiu"]
    if not pictures:
        return
    ends = np.array([[each.min(), each.max()] for each in pictures], np.float64)
    if not np.isfinite(ends).all():
        raise InvalidDatasetError("The pictures hold NaN or infinite values; replace them, as with `numpy.nan_to_num`.")
    low, high = ends.min(), ends.max()
    if low < 0 or high > 255 or 0 < high <= 1:
        warnings.warn(
            f"The pictures are read on the scale 0..255, but have values from {low:g} to {high:g}; if they are on "
            "another scale, bring them to 0..255, as by multiplying 0..1 by 255.",
            stacklevel=stacklevel,
        )


def _warn(rules: MaskRules, counts: np.ndarray, names: Sequence[str], what: str, is_all: bool) -> None:
    for doubt in rules.doubts(counts, names, is_all):
        if is_all and not rules.has_labels(counts):
            raise InvalidDatasetError(f"{what}: {doubt}.")
        warnings.warn(f"{what}: {doubt}.", stacklevel=5)


def _first_batches(data: Any) -> tuple[list[Any], Any]:
    """The first batches, if they can be read; and the data, whole."""
    if isinstance(data, GeneratorType):
        first = list(itertools.islice(data, _FIRST_BATCHES))
        return first, (each for each in itertools.chain(first, data))
    return list(itertools.islice(_beginning(data), _FIRST_BATCHES)), data


def _beginning(data: Any) -> Iterator[Any]:
    if hasattr(data, "element_spec") and hasattr(data, "take"):  # a `tf.data.Dataset`, not a distributed one
        yield from data.take(_FIRST_BATCHES)
    elif isinstance(data, keras.utils.PyDataset):
        yield from (data[index] for index in range(min(_FIRST_BATCHES, data.num_batches or _FIRST_BATCHES)))
    elif hasattr(data, "batch_sampler") and hasattr(getattr(data, "dataset", None), "__getitem__"):
        # A `DataLoader` of PyTorch. Starting it would draw from the random numbers and start its processes.
        collate = getattr(data, "collate_fn", None) or _collate
        for index in range(min(_FIRST_BATCHES, len(data.dataset))):
            batch = collate([data.dataset[index]])
            if batch is not None:
                yield batch


def _collate(examples: list[Any]) -> Any:
    """A batch of one example, where a loader says nothing of how it makes them."""
    [example] = examples
    return tuple(np.asarray(part)[None] for part in example[:2]) if isinstance(example, list | tuple) else None


def _array(masks: Any) -> np.ndarray:
    return masks if isinstance(masks, np.ndarray) else np.asarray(masks)
