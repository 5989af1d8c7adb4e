"""Pairs images and masks by their file names."""

from __future__ import annotations

import dataclasses
import hashlib
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

File = Path | zipfile.Path
"""A file or folder on disk or inside a zip archive; both have `name`, `/`, `iterdir`, `is_dir` and `read_bytes`."""

IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".jp2"),
    *(".heic", ".heif", ".avif"),
)
"""How the names of pictures end, in lower case."""

MASK_SUFFIXES = (".png", ".gif", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".webp")
"""How the names of masks may end. Those that lose values, such as JPEG, are refused by name when they are read."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """An image and its mask.

    Args:
        name: What both are called, without the suffixes; unique in its split.
        image: The image file.
        mask: The mask file.
    """

    name: str
    image: File
    mask: File


@dataclasses.dataclass(frozen=True)
class Problem:
    """Why a file cannot be used.

    Args:
        file: The file, or the two that do not go together.
        reason: The predicate of a sentence about it.

    Example:

    >>> str(Problem("masks/a.png", "has no image"))
    'masks/a.png has no image'
    """

    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file} {self.reason}"


@dataclasses.dataclass(frozen=True)
class Listing:
    """The files of one split.

    Args:
        pairs: Images with their masks, sorted by name.
        problems: Files that could not be paired.
        left_aside: Files of other kinds in the folders, which are not read.
    """

    pairs: tuple[Pair, ...]
    problems: tuple[Problem, ...] = ()
    left_aside: tuple[str, ...] = ()


def match(
    images: File,
    masks: File,
    image_suffixes: tuple[str, ...] = IMAGE_SUFFIXES,
    mask_suffixes: tuple[str, ...] = MASK_SUFFIXES,
    names: Iterable[str] | None = None,
) -> Listing:
    """Pairs the files of two folders by their names, which may differ in Unicode normalisation (NFC or NFD).

    Args:
        images: Folder of the images, which may have subfolders.
        masks: Folder of the masks, with the same subfolders.
        image_suffixes: How the names of images end, in lower case; files that end otherwise are left aside.
        mask_suffixes: How the names of masks end.
        names: The names to use; all by default.

    Returns:
        The pairs, and a problem for every name that does not have exactly one image and one mask.

    Example:

    ```python
    listing = match(Path("camvid/train/images"), Path("camvid/train/labels"))
    ```
    """
    files, left_aside = {}, []
    for kind, folder, suffixes in (("image", images, image_suffixes), ("mask", masks, mask_suffixes)):
        files[kind], others = _by_name(folder, suffixes)
        left_aside += others
    if names is None:
        names = files["image"].keys() | files["mask"].keys()
    pairs, problems = [], []
    for name in sorted(set(map(_normalised, names))):
        found = {kind: by_name.get(name, []) for kind, by_name in files.items()}
        if all(len(each) == 1 for each in found.values()):
            pairs.append(Pair(name, found["image"][0], found["mask"][0]))
        else:
            problems.extend(_mismatches(name, found))
    return Listing(tuple(pairs), tuple(problems), tuple(sorted(left_aside)))


def fingerprint(listings: Mapping[str, Listing], coding: object) -> str:
    """Computes a short text that changes with the names, sizes and times of the files, and with their meaning.

    Args:
        listings: The files of every split.
        coding: What the masks mean; its `repr` is part of the text.

    Returns:
        Twelve hexadecimal digits. They do not depend on the path of the folder, unless there are unpaired files.

    Example:

    >>> len(fingerprint({"train": Listing(())}, coding=None))
    12
    """
    digest = hashlib.sha256(repr(coding).encode())
    for split, listing in listings.items():
        digest.update(f"{split}\n".encode())
        for pair in listing.pairs:
            digest.update(f"{pair.name}\t{_state(pair.image)}\t{_state(pair.mask)}\n".encode())
        digest.update("".join(f"{problem}\n" for problem in listing.problems).encode())
    return digest.hexdigest()[:12]


def leads_back(folder: Path) -> bool:
    """Returns True if a folder is a link to one around it, below which everything would be found again without end.

    Args:
        folder: Its path.

    Example:

    ```python
    leads_back(Path("data/images/link_to_data"))
    ```
    """
    if not folder.is_symlink():
        return False
    # Links may lead to each other, so that the folders on the way count as well as those around the last one.
    around = {*map(Path.resolve, folder.parents), *folder.parent.resolve().parents}
    return folder.resolve() in around


def _by_name(folder: File, suffixes: tuple[str, ...]) -> tuple[dict[str, list[File]], list[str]]:
    """The files by their path below the folder without their suffix, and those that end otherwise."""
    files, others = defaultdict(list), []
    for path, file in _walk(folder):
        suffix = next((suffix for suffix in suffixes if path.lower().endswith(suffix)), None)
        if suffix is None:
            others.append(str(file))
        else:
            files[_normalised(path[: -len(suffix)])].append(file)
    return files, others


def _normalised(name: str) -> str:
    """One spelling for names that look the same: macOS decomposes "é" into two characters where others keep one."""
    return unicodedata.normalize("NFC", name)


def _walk(folder: File, prefix: str = "") -> Iterator[tuple[str, File]]:
    """Every file below a folder with its relative path, without hidden files, which file managers create."""
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not (isinstance(entry, Path) and leads_back(entry)):
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry


def _mismatches(name: str, found: Mapping[str, list[File]]) -> Iterator[Problem]:
    for kind, other in (("image", "mask"), ("mask", "image")):
        if len(found[kind]) > 1:
            yield Problem(" and ".join(sorted(map(str, found[kind]))), "have one name; keep one of them")
        if found[kind] and not found[other]:
            yield Problem(str(found[kind][0]), f"has no {other}")
    if not any(found.values()):
        yield Problem(name, "is listed, but has neither image nor mask")


def _state(file: File) -> str:
    if isinstance(file, zipfile.Path):
        member = file.root.getinfo(file.at)
        return f"{file.name} {member.file_size} {member.CRC}"
    try:
        status = file.stat()
    except OSError:  # a link to nowhere, for example, which is for the check to report
        return f"{file.name} unreadable"
    return f"{file.name} {status.st_size} {status.st_mtime_ns}"
