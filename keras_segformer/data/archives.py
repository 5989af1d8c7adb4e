"""Opens zip archives, whose file names may be stored in several ways."""

from __future__ import annotations

import zipfile
from pathlib import Path

from keras_segformer.errors import InvalidDatasetError


def open_archive(path: Path) -> zipfile.ZipFile:
    """Opens a zip archive.

    Args:
        path: Its path.

    Returns:
        The archive. File names without a note of their encoding are read as UTF-8, in which macOS and others write
        them, and else as cp437.

    Raises:
        InvalidDatasetError: It is not a zip archive.

    Example:

    ```python
    open_archive(Path("export.zip")).namelist()
    ```
    """
    try:
        try:
            return zipfile.ZipFile(path, metadata_encoding="utf-8")
        except UnicodeDecodeError:
            return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise InvalidDatasetError(
            f"'{path}' is not a zip archive; name the folder that it is in, or that it unpacks to."
        ) from error
