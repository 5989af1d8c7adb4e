"""The interpreter of TF Lite files: LiteRT's where it is installed, TensorFlow's where not."""

from __future__ import annotations

import importlib
import warnings
from typing import Any


def make_interpreter(content: bytes, num_threads: int | None = None, **options: Any) -> Any:
    """Make an interpreter with its memory laid out.

    Args:
        content: A TF Lite file. Not its path: new interpreters verify bytes before they trust them, but not files.
        num_threads: Number of threads; `None` leaves it to the interpreter.
        options: Further arguments of `Interpreter`.

    Returns:
        An `ai_edge_litert.interpreter.Interpreter` or a `tf.lite.Interpreter`, whose methods are the same.

    Raises:
        ValueError: The file is broken, or the interpreter lacks an operation.
        RuntimeError: Likewise; older interpreters raise this.
    """
    with warnings.catch_warnings():
        # It will leave TensorFlow one day; until then a file can be evaluated without installing anything.
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
        # Who asks for all tensors knows that they take memory.
        warnings.filterwarnings("ignore", message=r"Warning: Enabling `experimental_preserve_all_tensors`")
        interpreter = _interpreter_class()(model_content=content, num_threads=num_threads, **options)
    interpreter.allocate_tensors()
    return interpreter


def _interpreter_class() -> Any:
    try:
        return importlib.import_module("ai_edge_litert.interpreter").Interpreter
    except ImportError:
        import tensorflow as tf

        return tf.lite.Interpreter
