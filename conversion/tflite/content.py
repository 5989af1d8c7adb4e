"""The bytes of a file that is named, or given as it is."""

from __future__ import annotations

import os
from pathlib import Path


def content_of(file: bytes | str | os.PathLike[str]) -> bytes:
    """Read a file.

    Args:
        file: The path of the file, or its content.

    Returns:
        The content.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: The path is a folder.
    """
    if isinstance(file, bytes):
        return file
    path = Path(file)
    if path.is_dir():
        raise IsADirectoryError(f"'{path}' is a folder; name a .tflite file")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file '{path}'; check the path")
    return path.read_bytes()
