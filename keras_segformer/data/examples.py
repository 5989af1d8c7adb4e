"""Encoded pairs of images and masks."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import LabelSet
from keras_segformer.mask_rules import IGNORE

IMAGE = "image"
MASK = "segmentation_mask"
NAME = "file_name"


@dataclasses.dataclass(frozen=True)
class Examples:
    """The examples of one split of a data set, in a fixed order.

    They stay encoded until they are used: shuffling and caching then hold files of kilobytes, not arrays of
    megabytes.

    Args:
        encoded: Dataset of dictionaries of scalar strings: `image` (JPEG or PNG file), `segmentation_mask` (PNG of
            one channel, 8 bits) and `file_name`.
        size: How many there are.
        label_set: The classes.
        mask_values: Class index of every value of the encoded masks, `(256,)`, uint8; 255 is ignored.

    Example:

    ```python
    image, mask = examples.decode(next(iter(examples.encoded)))
    ```
    """

    encoded: tf.data.Dataset
    size: int
    label_set: LabelSet
    mask_values: np.ndarray

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidDatasetError("The data set has no example; check its folder and the name of the split.")

    def decode(self, record: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Decodes one example.

        Args:
            record: An element of `encoded`.

        Returns:
            The image `(H, W, 3)`, uint8, and the mask `(H, W)`, uint8, of class indices with 255 for ignored pixels.
        """
        image = tf.io.decode_image(record[IMAGE], channels=3, expand_animations=False)
        mask = tf.io.decode_png(record[MASK], channels=1)[..., 0]
        return image, tf.gather(tf.constant(self.mask_values), tf.cast(mask, tf.int32))


def identity_values(label_set: LabelSet) -> np.ndarray:
    """The `mask_values` of masks that hold class indices already.

    Args:
        label_set: The classes.

    Returns:
        `(256,)`, uint8: classes stay, every other value is ignored.

    Example:

    >>> identity_values(LabelSet.generic(2))[:4].tolist()
    [0, 1, 255, 255]
    """
    values = np.full(256, IGNORE, np.uint8)
    values[: label_set.num_classes] = np.arange(label_set.num_classes)
    return values


def raw_values(label_set: LabelSet) -> np.ndarray:
    """The `mask_values` of masks that hold the values of the annotation files.

    Args:
        label_set: The classes, with their `raw_to_train`.

    Returns:
        `(256,)`, uint8: class indices, every value without a class is ignored.

    Example:

    >>> raw_values(LabelSet.generic(2))[:4].tolist()
    [0, 1, 255, 255]
    """
    values = np.full(256, IGNORE, np.uint8)
    for raw, index in label_set.raw_to_train.items():
        if 0 <= raw < 256 and index != label_set.ignore_index:
            values[raw] = index
    return values
