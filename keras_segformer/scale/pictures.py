"""Pictures on disks and in object stores."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence

from keras_segformer.data.file_budgets import read_streamed_image
from keras_segformer.image_formats import readable_suffixes
from keras_segformer.images import ReadImage, list_images, read_image
from keras_segformer.scale.store import open_location, pa

_WILDCARD = re.compile(r"[*?\[]")


def find_pictures(patterns: Sequence[str]) -> list[str]:
    """Lists the pictures that arguments stand for.

    Args:
        patterns: Files, folders and glob patterns; also at addresses (`s3://`, `gs://`, `hdfs://`), where `*` stands
            for slashes too.

    Returns:
        Absolute paths and addresses, sorted, each once.

    Raises:
        FileNotFoundError: There is no picture at one of them.
        ValueError: There is no file system for an address.

    Example:

    ```python
    find_pictures(["photos/*.jpg", "s3://bucket/street/*.png"])
    ```
    """
    found: set[str] = set()
    for pattern in patterns:
        if "://" in pattern:
            found.update(_remote(pattern))
        else:
            found.update(os.fspath(path.absolute()) for path in list_images(pattern).images)
    return sorted(found)


def read_picture(address: str, bit_depth: int | None = None) -> ReadImage:
    """Reads a picture.

    Args:
        address: One of those that `find_pictures` lists.
        bit_depth: As for `keras_segformer.images.load_image`.

    Returns:
        The picture, and what was assumed to read it.

    Raises:
        InvalidImageError: It cannot be read as a picture.
        OSError: It cannot be opened.
    """
    if "://" not in address:
        return read_image(address, bit_depth)
    files, path = open_location(address)
    with files.open_input_stream(path) as stream:
        return read_streamed_image(stream, address, bit_depth)


def _remote(pattern: str) -> Iterator[str]:
    wildcard = _WILDCARD.search(pattern)
    base = pattern[: pattern.rindex("/", 0, wildcard.start())] if wildcard else pattern
    files, path = open_location(base)
    prefix = base[: len(base) - len(path)] if base.endswith(path) else base.partition("://")[0] + "://"
    [info] = files.get_file_info([path])
    if info.type == pa.fs.FileType.File:
        yield pattern
        return
    listed = files.get_file_info(pa.fs.FileSelector(path, allow_not_found=True, recursive=bool(wildcard)))
    pictures = [
        f"{prefix}{each.path}"
        for each in listed
        if each.type == pa.fs.FileType.File and f".{each.extension.lower()}" in readable_suffixes()
    ]
    pictures = [each for each in pictures if not wildcard or fnmatch.fnmatchcase(each, pattern)]
    if not pictures:
        raise FileNotFoundError(f"no image found at '{pattern}'; name an image, a folder, or a pattern such as '*.jpg'")
    yield from pictures
