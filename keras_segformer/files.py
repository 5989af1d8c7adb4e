"""Writing files and folders so that an interruption leaves the old ones as they were."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file under a temporary name next to it and rename it when it is complete.

    Args:
        path: The file to write; its folder is made where it is missing, an old file is replaced.

    Yields:
        The temporary path to write to. It ends like `path`, since some writers look at the suffix.

    Raises:
        FileNotFoundError: The body wrote nothing.

    Example:

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "classes.txt"
    >>> with atomic_file(target) as temporary:
    ...     _ = temporary.write_text("road")
    >>> target.read_text()
    'road'
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_sibling(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Fill a folder under a temporary name next to it and rename it when it is complete.

    Args:
        path: The folder to write; its parents are made where they are missing.
        overwrite: Whether a folder that already holds something is replaced as a whole. The old one is
            removed only once the new one is in its place.

    Yields:
        The temporary folder, empty, to write into.

    Raises:
        FileExistsError: There is a file of that name, or a folder that holds something without `overwrite`.

    Example:

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "preset"
    >>> with atomic_folder(target) as temporary:
    ...     _ = (temporary / "config.json").write_text("{}")
    >>> [file.name for file in target.iterdir()]
    ['config.json']
    """
    path = Path(path).resolve()
    _refuse_occupied(path, overwrite)
    temporary = _temporary_sibling(path)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        # Looked at again because filling the folder may take minutes.
        _refuse_occupied(path, overwrite)
        _move_into_place(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary_sibling(path: Path) -> Path:
    # A rename is atomic only within one file system, hence the same folder.
    return path.with_name(f".{uuid.uuid4().hex[:8]}.{path.name}")


def _refuse_occupied(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        if not overwrite and any(path.iterdir()):
            raise FileExistsError(f"The folder {path} is not empty; pass `overwrite=True` or choose another one.")
    elif path.exists():
        raise FileExistsError(f"{path} is a file, not a folder; remove it or choose another name.")


def _move_into_place(new: Path, path: Path) -> None:
    """Exchange the folder at `path`, if there is one, for `new`."""
    if not path.exists():
        new.rename(path)
        return
    old = _temporary_sibling(path)
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old)
