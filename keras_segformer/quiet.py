"""Keeps TensorFlow's start-up messages off the terminal of the command-line program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PROGRAM = "keras-segformer"

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def is_program() -> bool:
    """Whether this process is `keras-segformer` rather than somebody's Python."""
    return bool(sys.argv) and Path(sys.argv[0]).stem == PROGRAM


def import_keras_quietly() -> None:
    """Imports Keras without the log lines of TensorFlow's C++ parts, now and later.

    Errors still arrive as Python exceptions. Does nothing where the user has chosen a level in
    `TF_CPP_MIN_LOG_LEVEL`.

    Example:

    ```python
    import_keras_quietly()
    ```
    """
    if _LEVEL in os.environ:
        return
    os.environ[_LEVEL] = "3"
    # TensorFlow 2.20 and later log two lines at import before they look at the level.
    terminal = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import keras  # noqa: F401
    finally:
        os.dup2(terminal, 2)
        os.close(nowhere)
        os.close(terminal)
