"""Keeps TensorFlow's start-up messages off the terminal of the command-line program."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

PROGRAM = "keras-segformer"


def is_program() -> bool:
    """Returns True if this process is the program `keras-segformer`, not another one that imports the package."""
    return bool(sys.argv) and Path(sys.argv[0]).stem == PROGRAM


@contextlib.contextmanager
def without_tensorflow_log() -> Iterator[None]:
    """Keeps the log lines of TensorFlow's C++ parts off the standard error, for a block that imports it and afterwards.

    Errors still arrive as Python exceptions.

    Example:

    ```python
    with without_tensorflow_log():
        import tensorflow
    ```
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # TensorFlow 2.20 and later log two lines at import before they look at the level.
    with without_standard_error():
        yield


@contextlib.contextmanager
def without_standard_error() -> Iterator[None]:
    """Keeps what libraries write to the standard error off the terminal, for a block.

    It is that of the whole process, other threads included, so only a program may do this.

    Example:

    >>> with without_standard_error():
    ...     _ = os.write(2, b"not seen")
    """
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(nowhere)
        os.close(terminal)
