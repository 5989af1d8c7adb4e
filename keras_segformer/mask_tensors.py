"""The rules for masks on tensors, eager or traced."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_segformer.mask_rules import MaskRules, check_mask_shape


def read_labels(masks: Any, rules: MaskRules) -> tuple[Any, Any, Any]:
    """Reads masks as labels, and finds out which pixels have one.

    Eager masks that break the rules raise an exception. Traced ones raise one when TensorFlow executes the graph
    itself. XLA and JAX have no assertions; there, the caller uses the third value to turn its result into NaN.

    Args:
        masks: `(B, H, W)` or `(B, H, W, 1)`, integers or whole floats.
        rules: The rules for the masks.

    Returns:
        Labels `(B, H, W)`, int32, 0 where there is none; where there is one `(B, H, W)`; and which pixels break the
        rules `(B, H, W)`.

    Raises:
        InvalidDatasetError: The shape, or an eager value, is wrong.

    Example:

    >>> labels, labelled, faulty = read_labels(ops.array([[[1, 255]]]), MaskRules(2))
    >>> ops.convert_to_numpy(labelled).tolist()
    [[[True, False]]]
    """
    check_mask_shape(masks.shape, rules.num_labels)
    if len(masks.shape) == 4:
        masks = ops.squeeze(masks, axis=-1)  # (B, H, W, 1) → (B, H, W)
    labels = ops.cast(masks, "int32")
    labelled = ops.not_equal(labels, rules.ignore_index)
    is_class = ops.logical_and(labels >= 0, labels < rules.num_labels)
    faulty = ops.logical_and(labelled, ops.logical_not(is_class))
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(masks.dtype)):
        faulty = ops.logical_or(faulty, ops.not_equal(ops.cast(labels, masks.dtype), masks))
    _refuse(faulty, masks, rules)
    labelled = ops.logical_and(labelled, is_class)
    return ops.where(labelled, labels, 0), labelled, faulty


def concrete(tensor: Any) -> np.ndarray | None:
    """The value of an eager tensor.

    Args:
        tensor: A tensor.

    Returns:
        Its value, or `None` while a function is traced.

    Example:

    >>> int(concrete(ops.ones((), "int32")))
    1
    """
    try:
        return ops.convert_to_numpy(tensor)
    except Exception:  # every backend has errors of its own for traced tensors
        return None


def _refuse(faulty: Any, masks: Any, rules: MaskRules) -> None:
    any_fault = ops.any(faulty)
    value = concrete(any_fault)
    if value is not None:
        if value:
            rules.check(ops.convert_to_numpy(masks))
        return
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        message = (
            f"The masks hold labels that are no class: the classes are 0 to {rules.num_labels - 1} and "
            f"{rules.ignore_index} is ignored; map the values to class indices"
        )
        tf.debugging.Assert(tf.logical_not(any_fault), [message])
