"""Reductions over the global batch.

The replicas of `tf.distribute` each compute on their own part of it. Under the distribution API of JAX a computation
sees the whole batch, so that its reductions are global already.
"""

from __future__ import annotations

from typing import Any

import keras


def num_replicas() -> int:
    """Returns the number of replicas of a model that is built here: 1 outside of a strategy's scope.

    Example:

    >>> num_replicas()
    1
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def global_mean(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Computes the mean over the global batch. Gradients flow through it.

    Args:
        x: This replica's part, of the same shape on every replica.
        axis: The axes to reduce, the batch axis among them; all by default.

    Returns:
        The same tensor on every replica.

    Example:

    >>> float(global_mean(keras.ops.array([1.0, 3.0])))
    2.0
    """
    return _all_reduce("MEAN", keras.ops.mean(x, axis=axis))


def global_sum(x: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Computes the sum over the global batch. Gradients flow through it.

    Args:
        x: This replica's part.
        axis: The axes to reduce, the batch axis among them; all by default.

    Returns:
        The same tensor on every replica.

    Example:

    >>> float(global_sum(keras.ops.array([1.0, 3.0])))
    4.0
    """
    return _all_reduce("SUM", keras.ops.sum(x, axis=axis))


def _all_reduce(reduction: str, value: Any) -> Any:
    if num_replicas() == 1:
        return value
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    # There is no replica outside of `strategy.run`, where a loss is called on its own.
    return value if context is None else context.all_reduce(getattr(tf.distribute.ReduceOp, reduction), value)
