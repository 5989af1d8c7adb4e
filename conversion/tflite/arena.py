"""The memory that a TF Lite file's tensors need."""

from __future__ import annotations

import warnings

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema


def arena_bytes(content: bytes) -> int:
    """How much the interpreter lays out for tensors that are no weights, where no delegate takes part.

    Args:
        content: A TF Lite file.

    Returns:
        The number of bytes that at least one tensor lies on. Weights that have to be unpacked first, as those of
        float16 files, count.
    """
    with warnings.catch_warnings():
        # It will leave TensorFlow one day; until then no other package is needed.
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
        resolver = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    model = schema.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    total, covered = 0, 0
    ranges = (
        _address_range(interpreter.tensor(index)())
        for index in range(graph.TensorsLength())
        if not model.Buffers(graph.Tensors(index).Buffer()).DataLength()
    )
    for start, end in sorted(ranges):
        total += max(0, end - max(start, covered))
        covered = max(covered, end)
    return total


def _address_range(values: np.ndarray | np.generic) -> tuple[int, int]:
    # A tensor without axes, or one that no operation uses, comes as a number.
    return (values.ctypes.data, values.ctypes.data + values.nbytes) if isinstance(values, np.ndarray) else (0, 0)
