"""Detects that TensorFlow traces a function for XLA.

The only file that imports a private module of TensorFlow: there is no public way to ask, neither of the graph nor of
the enclosing `tf.function` (looked for in 2.16 to 2.21).
"""

from __future__ import annotations

import keras


def is_traced_for_xla() -> bool:
    """Returns True inside a `tf.function` with `jit_compile=True`.

    Example:

    >>> is_traced_for_xla()
    False
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf
    from tensorflow.python.ops import control_flow_util

    return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
