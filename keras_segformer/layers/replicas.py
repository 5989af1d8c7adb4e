"""What layers and losses need to know of the replicas of `tf.distribute`.

Under the distribution API of JAX they see the global batch, and there is nothing to know.
"""

from __future__ import annotations

from typing import Any

import keras


def num_replicas() -> int:
    """How many replicas the model that is being built will have: 1 outside of a strategy's scope.

    Example:

    >>> num_replicas()
    1
    """
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


def mean_over_replicas(value: Any) -> Any:
    """The mean of a value over the replicas, so that a global batch has one mean. Gradients flow through it.

    Args:
        value: A tensor of this replica.

    Returns:
        The same tensor on every replica.

    Example:

    >>> float(mean_over_replicas(keras.ops.ones(())))
    1.0
    """
    if num_replicas() == 1:
        return value
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    # Without a replica this is a call outside of `strategy.run`, of a loss on its own.
    return value if context is None else context.all_reduce(tf.distribute.ReduceOp.MEAN, value)
