"""Writes files and folders such that an interruption, a full disk or a second writer never damages existing ones.

Everything is complete and on the disk (`fsync`) under a temporary name beside its target before it takes the target's
name. A lock prevents two processes of one machine from writing one target at the same time; its holder also removes
what killed writers have left behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import re
import shutil
import stat
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_EXCHANGE = 2  # the flag RENAME_EXCHANGE of Linux' renameat2
_HERE = -100  # AT_FDCWD: paths are relative to the working folder


def write_file(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Writes a file, whole or not at all.

    Args:
        path: The file; its folder is made where it is missing, an old file is replaced.
        content: What it is to hold; text is encoded as UTF-8.

    Raises:
        OSError: The disk is full, with the space that is needed and the space there is; another process is writing
            the file; or the folder cannot be written to. The old file is as it was.

    Example:

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "classes.txt"
    >>> write_file(target, "road")
    >>> target.read_text()
    'road'
    """
    content = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_file(path) as temporary:
        write_bytes(temporary, content)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes bytes to a temporary path of `atomic_file` or into a folder of `atomic_folder`.

    Args:
        path: The file.
        content: What it is to hold.

    Raises:
        OSError: The disk is full; the message names the space that is needed and the space there is.
    """
    with named_disk_errors(path, len(content)):
        path.write_bytes(content)


@contextlib.contextmanager
def named_disk_errors(path: Path, needed: int | None = None) -> Iterator[None]:
    """Says how much space there is, and how much is needed, where the body finds a disk full.

    Args:
        path: What the body writes; messages name it.
        needed: Its size in bytes, where it is known.

    Raises:
        OSError: The disk is full.

    Example:

    >>> import tempfile
    >>> with named_disk_errors(Path(tempfile.mkdtemp()) / "mask.png"):
    ...     pass
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_SPACE or "free" in str(error.strerror):
            raise
        raise _full_disk(error.errno, path, needed) from error
    except Exception as error:
        # TensorFlow's file writers raise exceptions of their own.
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise _full_disk(errno.ENOSPC, path, needed) from error


def _full_disk(number: int, path: Path, needed: int | None) -> OSError:
    free = shutil.disk_usage(path.parent).free
    wanted = "" if needed is None else f"{needed / 1e6:.1f} MB are needed and "
    message = f"{wanted}{free / 1e6:.1f} MB are free; make room, or choose a folder on another disk"
    return OSError(number, f"{os.strerror(number)}: {message}", str(path))


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Writes a file under a temporary name next to it and renames it when it is complete.

    Args:
        path: The file to write; its folder is made where it is missing, an old file is replaced.

    Yields:
        The temporary path to write to. It ends like `path`, since some writers look at the suffix.

    Raises:
        FileNotFoundError: The body wrote nothing.
        OSError: The disk is full, or another process is writing the file.

    Example:

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "classes.txt"
    >>> with atomic_file(target) as temporary:
    ...     _ = temporary.write_text("road")
    >>> target.read_text()
    'road'
    """
    with atomic_files([path]) as [temporary]:
        yield temporary


@contextlib.contextmanager
def atomic_files(paths: Sequence[str | os.PathLike[str]]) -> Iterator[list[Path]]:
    """Writes files that belong together: all of them are complete before the first takes its name.

    Args:
        paths: The files to write, in the order in which they are renamed. Put last the one that tells whether the
            others are of its set, such as the JSON file with the SHA-256 of a model.

    Yields:
        The temporary paths to write to.

    Raises:
        FileNotFoundError: The body did not write one of them.
        IsADirectoryError: One of them is a folder.
        OSError: The disk is full, or another process is writing one of the files.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_files([folder / "a.bin", folder / "a.json"]) as [binary, description]:
    ...     _ = binary.write_bytes(b"1"), description.write_text("{}")
    >>> sorted(file.name for file in folder.iterdir())
    ['a.bin', 'a.json']
    """
    targets = [Path(path).resolve() for path in paths]
    for target in targets:
        if target.is_dir():  # which a file cannot replace: found only after some others have their names
            raise IsADirectoryError(errno.EISDIR, "is a folder; remove it, or choose another name", str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
    temporaries = [_temporary_sibling(target) for target in targets]
    with contextlib.ExitStack() as locks:
        # In one order for all, so that two writers of overlapping sets cannot wait for each other.
        for target in sorted(set(targets)):
            locks.enter_context(_only_writer(target))
        try:
            with named_disk_errors(targets[0]):
                yield temporaries
                for temporary in temporaries:
                    _sync(temporary)
            for temporary, target in zip(temporaries, targets, strict=True):
                temporary.replace(target)
            for folder in {target.parent for target in targets}:
                _sync(folder)
        finally:
            for temporary in temporaries:
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Fills a folder under a temporary name next to it and renames it when it is complete.

    Args:
        path: The folder to write; its parents are made where they are missing.
        overwrite: Whether a folder that already holds something is replaced as a whole. The old one is
            removed only once the new one is in its place.

    Yields:
        The temporary folder, empty, to write into.

    Raises:
        FileExistsError: There is a file of that name, or a folder that holds something without `overwrite`.
        OSError: The disk is full, or another process is writing the folder.

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
    path.parent.mkdir(parents=True, exist_ok=True)
    with _only_writer(path):
        temporary = _temporary_sibling(path)
        try:
            with named_disk_errors(path):
                temporary.mkdir()
                yield temporary
                for folder, _, names in os.walk(temporary, topdown=False):
                    for file in (Path(folder) / name for name in names):
                        if not file.is_symlink():  # what it leads to is not ours, and may not be there
                            _sync(file)
                    _sync(Path(folder))
            # Looked at again because filling the folder may take minutes.
            _refuse_occupied(path, overwrite)
            _move_into_place(temporary, path)
            _sync(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _temporary_sibling(path: Path) -> Path:
    # A rename is atomic only within one file system, hence the same folder.
    return path.with_name(f".{uuid.uuid4().hex[:8]}.{path.name}")


@contextlib.contextmanager
def _only_writer(path: Path) -> Iterator[None]:
    """Prevents other processes from writing a target, and removes what killed ones have left behind."""
    from filelock import FileLock, Timeout

    lock = FileLock(_lock_folder() / hashlib.sha256(os.fsencode(path)).hexdigest())
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        message = "another process is writing it; wait for it to end, or choose another name"
        raise OSError(errno.EBUSY, message, str(path)) from error
    try:
        _clear_leftovers(path)
        yield
    finally:
        lock.release()


def _lock_folder() -> Path:
    """A folder of this user's own: in one of somebody else's, links could lead to any file."""
    # Beside the target a lock would be one more file for people to wonder about.
    user = getattr(os, "getuid", lambda: None)()
    folder = Path(tempfile.gettempdir()) / f"keras_segformer_locks_{'user' if user is None else user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (user is not None and found.st_uid != user):
        raise PermissionError(
            errno.EACCES, "belongs to another user; remove it, or name another temporary folder in TMPDIR", str(folder)
        )
    return folder


def _clear_leftovers(path: Path) -> None:
    pattern = re.compile(rf"\.[0-9a-f]{{8}}\.{re.escape(path.name)}")
    for entry in path.parent.iterdir():
        if pattern.fullmatch(entry.name):
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and sys.platform == "win32":
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() or sys.platform != "win32" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_occupied(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        if not overwrite and any(path.iterdir()):
            raise FileExistsError(f"The folder {path} is not empty; pass `overwrite=True` or choose another one.")
    elif path.exists():
        raise FileExistsError(f"{path} is a file, not a folder; remove it or choose another name.")


def _move_into_place(new: Path, path: Path) -> None:
    """Moves `new` to `path`; a folder that was at `path` is left under the name of `new`."""
    if not path.exists():
        new.rename(path)
        return
    if _exchange(new, path):
        return
    old = _temporary_sibling(path)
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old)


def _exchange(one: Path, other: Path) -> bool:
    """Exchanges two names in one step if the system can, so that neither is ever missing."""
    if not sys.platform.startswith("linux") or not one.exists():
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return renameat2 is not None and renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
