"""What the arguments of `keras-segformer predict` stand for: pictures and videos, in files or at addresses."""

from __future__ import annotations

import dataclasses
import os
import re
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from keras_segformer.data.file_budgets import read_streamed_image
from keras_segformer.image_formats import readable_suffixes
from keras_segformer.images import FoundImages, ReadImage, list_images, matching_paths, read_image
from keras_segformer.video.sources import VIDEO_SUFFIXES, VideoSource, video_source

_TIMEOUT = 20.0  # seconds without an answer from a server


@dataclasses.dataclass(frozen=True)
class PictureAddress:
    """A picture on a server.

    Args:
        address: Its address, `http://` or `https://`.
    """

    address: str

    def __fspath__(self) -> str:
        return self.address

    def __str__(self) -> str:
        return self.address

    @property
    def stem(self) -> str:
        """The beginning of the names of its results."""
        return re.sub(r"[^\w.-]", "_", Path(urlsplit(self.address).path).stem)


PictureSource = Path | PictureAddress


@dataclasses.dataclass(frozen=True)
class Sources:
    """What is to be segmented, without repetitions.

    Args:
        pictures: The pictures.
        videos: The videos.
        left_aside: Other files in the folders.
    """

    pictures: tuple[PictureSource, ...]
    videos: tuple[VideoSource, ...]
    left_aside: tuple[Path, ...]


def find_sources(arguments: Sequence[str]) -> Sources:
    """Looks up what arguments stand for.

    Args:
        arguments: Files, folders, glob patterns, addresses and cameras.

    Returns:
        The sources.

    Raises:
        FileNotFoundError: There is nothing to segment at one of them.
    """
    pictures: dict[str, PictureSource] = {}
    videos: dict[str, VideoSource] = {}
    left_aside: set[Path] = set()
    for argument in arguments:
        if _is_picture_address(argument):
            pictures.setdefault(argument, PictureAddress(argument))
            continue
        if video := video_source(argument):
            videos.setdefault(os.path.realpath(video.address), video)
            continue
        found, moving = _search(argument)
        for file in found.images:
            pictures.setdefault(str(file.resolve()), file)
        for file in moving:
            videos.setdefault(str(file.resolve()), VideoSource(str(file), str(file), file.stem))
        left_aside |= set(found.left_aside) - set(moving)
    return Sources(
        tuple(pictures.values()),
        tuple(videos.values()),
        tuple(sorted(file for file in left_aside if str(file.resolve()) not in pictures | videos)),
    )


def is_raster(source: PictureSource) -> bool:
    """Whether a picture may have coordinates.

    Args:
        source: The picture.

    Returns:
        Whether it is a TIFF file on a disk.
    """
    return isinstance(source, Path) and source.suffix.lower() in (".tif", ".tiff")


def read_picture(source: PictureSource, bit_depth: int | None = None) -> ReadImage:
    """Reads a picture from a file or a server.

    Args:
        source: The picture.
        bit_depth: As for `keras_segformer.images.read_image`.

    Returns:
        The picture.

    Raises:
        InvalidImageError: It cannot be read.
        OSError: The server does not answer, or has no such file.
    """
    if isinstance(source, Path):
        return read_image(source, bit_depth)
    with urllib.request.urlopen(source.address, timeout=_TIMEOUT) as answer:
        return read_streamed_image(answer, source.address, bit_depth)


def _is_picture_address(argument: str) -> bool:
    parts = urlsplit(argument)
    return parts.scheme in ("http", "https") and Path(parts.path).suffix.lower() in readable_suffixes()


def _search(pattern: str) -> tuple[FoundImages, list[Path]]:
    """The pictures of a file, folder or pattern, and the videos."""
    moving = [] if Path(pattern).is_file() else _videos(matching_paths(pattern))
    try:
        return list_images(pattern), moving
    except FileNotFoundError:
        if not moving:
            raise
        return FoundImages((), tuple(sorted(set(matching_paths(pattern)) - set(moving)))), moving


def _videos(paths: Sequence[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
