"""The files of an export, which is a folder or a zip archive, by relative path."""

from __future__ import annotations

import csv
import io
import itertools
import os
import posixpath
import threading
import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from keras_segformer.data.archives import open_archive
from keras_segformer.data.file_budgets import check_picture_bytes
from keras_segformer.data.pairs import leads_back
from keras_segformer.errors import InvalidDatasetError, MissingExtraError
from keras_segformer.json_text import parse_json

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".jp2",
    ".heic", ".heif", ".avif",
)  # fmt: skip
MAX_ARCHIVE_BYTES = 64 * 2**30
"""The most bytes that an archive may unpack to, which is more than data sets of labelled pictures have."""

MAX_FILE_BYTES = 2 * 2**30
"""How much of one file is read into memory; the largest are JSON files of a million polygons."""

_KEPT_DOCUMENTS = 4
_JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")


class Tree:
    """The files of an export by their relative paths, in Unicode's composed form (NFC) and with `/`.

    Archives are read in place: nothing is unpacked to paths that an archive names.

    Args:
        source: A folder or a zip archive.
        leave_out: A folder inside it that is not part of it, such as the output of an earlier import.
        below: A folder inside it: only the files below that count, with their paths from there.

    Raises:
        FileNotFoundError: There is no such folder or archive.
        InvalidDatasetError: It is a file but not a zip archive, or an archive that holds too much.

    Example:

    ```python
    tree = Tree("export.zip")
    tree.named("labelmap.txt")
    ```
    """

    def __init__(self, source: str | os.PathLike[str], leave_out: Path | None = None, below: str = "") -> None:
        self.source, self.begin = Path(source), below
        self._leave_out = leave_out and leave_out.resolve()
        self.duplicates: list[str] = []
        self.unreadable: dict[str, str] = {}
        if not self.source.exists():
            raise FileNotFoundError(f"there is no '{source}'; name the folder or zip archive of the export")
        self._archive = None if self.source.is_dir() else open_archive(self.source)
        self._files: dict[str, str] = {}
        for path in self._walk():
            # Some programs write archives with backslashes.
            plain = unicodedata.normalize("NFC", path if self._archive is None else path.replace("\\", "/"))
            if not is_below(plain, below):
                continue
            known = self._files.setdefault(plain[len(below) :].lstrip("/"), path)
            if known != path:
                self.duplicates.append(path)
        self.paths = tuple(sorted(self._files))
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            self._by_name[posixpath.basename(path).casefold()].append(path)
        self._documents: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and unicodedata.normalize("NFC", path) in self._files

    def named(self, name: str) -> list[str]:
        """The paths of all files of a name, whatever their folder and case, sorted."""
        return list(self._by_name.get(unicodedata.normalize("NFC", name).casefold(), ()))

    def ending(self, *suffixes: str) -> list[str]:
        """The paths that end in one of the suffixes (in lower case), whatever their case, sorted."""
        return [path for path in self.paths if path.lower().endswith(suffixes)]

    def below(self, folder: str) -> list[str]:
        """The paths below a folder; all where it is empty."""
        return [path for path in self.paths if is_below(path, folder)]

    def location(self, path: str) -> Path:
        """Where a file lies, whatever folder the tree begins at; below the archive for those inside of one."""
        return (self.source / self._files[unicodedata.normalize("NFC", path)]).resolve()

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            InvalidDatasetError: It cannot be read. The message names it.
        """
        stored = self._files[unicodedata.normalize("NFC", path)]
        try:
            if self._archive is None:
                file = self.source / stored
                if file.exists() and not file.is_file():
                    raise InvalidDatasetError("is a pipe or device; copy its content into a file")
                size = file.stat().st_size
            else:
                size = self._archive.getinfo(stored).file_size
            if is_image(path):
                check_picture_bytes(size)
            if size > MAX_FILE_BYTES:
                raise InvalidDatasetError(f"is larger than {MAX_FILE_BYTES >> 30} GiB; split it")
            return file.read_bytes() if self._archive is None else self._archive.read(stored)
        except InvalidDatasetError as error:
            raise InvalidDatasetError(f"{path} {error}.") from error
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
            raise InvalidDatasetError(
                f"{path} cannot be read ({getattr(error, 'strerror', None) or error})."
            ) from error

    def text(self, path: str) -> str:
        """A text file as UTF-8, with or without a byte-order mark, or as UTF-16 with one.

        Raises:
            InvalidDatasetError: It is not such a text.
        """
        data = self.read(path)
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise InvalidDatasetError(f"{path} is not UTF-8 text ({error}); save it as UTF-8.") from error

    def lines(self, path: str) -> list[str]:
        """The lines of a text file, stripped, without empty ones."""
        return [line.strip() for line in self.text(path).splitlines() if line.strip()]

    def rows(self, path: str) -> list[list[str]]:
        """The rows of a file of values between commas, semicolons or tabs, stripped, without empty ones."""
        text = self.text(path)
        first = text.lstrip().partition("\n")[0]
        rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count), skipinitialspace=True)
        return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]

    def json(self, path: str) -> Any:
        """A JSON file; the latest few are kept, since finding a format and reading it ask for the same.

        Raises:
            InvalidDatasetError: It is not JSON.
        """
        with self._lock:
            document = self._documents.get(path)
        if document is None:
            text = self.text(path)
            try:
                document = parse_json(text, MAX_FILE_BYTES)
            except ValueError as error:
                raise InvalidDatasetError(f"{path} is not JSON ({error}); export it again.") from error
            with self._lock:
                while len(self._documents) >= _KEPT_DOCUMENTS:
                    del self._documents[next(iter(self._documents))]
                self._documents[path] = document
        return document

    def peek_json(self, path: str) -> Any:
        """A JSON file, or `None` where it cannot be read as JSON, which is noted in `unreadable`."""
        try:
            return self.json(path)
        except InvalidDatasetError as error:
            self.unreadable[path] = str(error)
            return None

    def xml(self, path: str) -> Any:
        """The root element of an XML file. Document types and entities, which no labelling tool writes, are refused.

        Raises:
            InvalidDatasetError: It is not XML, or has a document type or entities.
            MissingExtraError: defusedxml is not installed.
        """
        try:
            import defusedxml
            from defusedxml import ElementTree
        except ImportError as error:
            raise MissingExtraError("defusedxml", "data") from error
        try:
            return ElementTree.fromstring(self.read(path), forbid_dtd=True)
        except defusedxml.DefusedXmlException as error:
            raise InvalidDatasetError(f"{path} declares a document type or entities, which are not read.") from error
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            raise InvalidDatasetError(f"{path} is not XML ({error}); export it again.") from error

    def find_image(
        self, name: str, folders: Iterable[str] = (), is_other: Callable[[str], bool] = lambda path: False
    ) -> str | None:
        """The picture that an export names.

        Args:
            name: Its path as the export writes it: relative to one of the folders or to one that is not there,
                absolute, with backslashes, or without a suffix.
            folders: Where to look first, in this order.
            is_other: Tells paths that cannot be it, such as those of masks.

        Returns:
            Its path: in one of the folders; else the only one whose path ends like the name; else the only one with
            the same file name. `None` where there is no picture, or several that fit equally.
        """
        name = unicodedata.normalize("NFC", name).replace("\\", "/")
        for folder in folders:
            path = posixpath.normpath(posixpath.join(folder, name.lstrip("/")))
            found = path if path in self._files and is_image(path) else self._with_suffix(path)
            if found and not is_other(found):
                return found
        parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".", "..")]
        for start in range(len(parts)):
            found = [path for path in self._ending_like("/".join(parts[start:])) if not is_other(path)]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _with_suffix(self, path: str) -> str | None:
        """The picture whose path is this one and a suffix."""
        folder, stem = posixpath.split(path)
        for suffix in IMAGE_SUFFIXES:
            for other in self._by_name.get(f"{stem}{suffix}".casefold(), ()):
                if posixpath.dirname(other) == folder and posixpath.basename(other)[: len(stem)] == stem:
                    return other
        return None

    def _ending_like(self, tail: str) -> list[str]:
        """The pictures whose path ends with these parts, or else with these parts and a suffix."""
        name, tail = posixpath.basename(tail).casefold(), f"/{tail}".casefold()
        exact = [
            path for path in self._by_name.get(name, ()) if is_image(path) and f"/{path}".casefold().endswith(tail)
        ]
        return exact or [
            path
            for suffix in IMAGE_SUFFIXES
            for path in self._by_name.get(name + suffix, ())
            if f"/{path}".casefold().endswith(tail + suffix)
        ]

    def _walk(self) -> Iterator[str]:
        if self._archive is not None:
            total = 0
            for member in self._archive.infolist():
                total += member.file_size
                if total > MAX_ARCHIVE_BYTES or member.file_size > MAX_FILE_BYTES:
                    raise InvalidDatasetError(
                        f"'{self.source}' unpacks to more than {MAX_ARCHIVE_BYTES >> 30} GiB, or to a file of more "
                        f"than {MAX_FILE_BYTES >> 30}; unpack what is needed and name the folder."
                    )
                parts = PurePosixPath(member.filename.replace("\\", "/")).parts
                if ".." in parts or member.filename.startswith("/"):
                    self.unreadable[member.filename] = (
                        f"{member.filename} would lie outside the archive and is not read; archive the folder anew."
                    )
                elif not member.is_dir() and _counts(parts):
                    yield member.filename
            return
        for folder, folders, files in os.walk(self.source, onerror=self._note_folder, followlinks=True):
            folders[:] = sorted(
                name
                for name in folders
                if _counts((name,)) and not self._is_left_out(folder, name) and not leads_back(Path(folder, name))
            )
            relative = Path(folder).relative_to(self.source).as_posix()
            for name in sorted(files):
                if _counts((name,)):
                    yield name if relative == "." else f"{relative}/{name}"

    def _note_folder(self, error: OSError) -> None:
        self.unreadable[error.filename] = (
            f"The folder {error.filename} cannot be read ({error.strerror}); allow it, and import again."
        )

    def _is_left_out(self, folder: str, name: str) -> bool:
        return self._leave_out is not None and Path(folder, name).resolve() == self._leave_out


def is_image(path: str) -> bool:
    """Returns True if the suffix of a path is that of a picture."""
    return path.lower().endswith(IMAGE_SUFFIXES)


def is_below(path: str, folder: str) -> bool:
    """Returns True if a file lies below a folder; every one lies below the empty path."""
    return not folder or path.startswith(f"{folder}/")


def stem(path: str) -> str:
    """The name of a file without its folder and its last suffix."""
    return posixpath.splitext(posixpath.basename(path))[0]


def without_suffix(path: str) -> str:
    """A path without its last suffix, if that is one of a picture."""
    return posixpath.splitext(path)[0] if is_image(path) else path


def shared_end(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the last parts of two paths are equal.

    Args:
        one: The parts of a path.
        other: Those of another.

    Example:

    >>> shared_end(["a", "train", "x"], ["b", "train", "x"])
    2
    """
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def file_name_of(value: Any) -> str:
    """A file's name or path in an export in composed Unicode, with all of its spaces; empty where it is missing."""
    if value is None or isinstance(value, (Mapping, list)):
        return ""
    return unicodedata.normalize("NFC", str(value)).strip("\r\n").replace("\\", "/")


def text_of(value: Any) -> str:
    """A name in an export as one line of composed Unicode; empty where it is missing."""
    if value is None or isinstance(value, (Mapping, list)):
        return ""
    return " ".join(unicodedata.normalize("NFC", str(value)).split())


def _counts(parts: tuple[str, ...]) -> bool:
    """Returns True if a file belongs to the export, unlike hidden files and those of file managers."""
    return not any(part.startswith(".") or part in _JUNK for part in parts)
