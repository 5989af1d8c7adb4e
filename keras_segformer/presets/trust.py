"""Trust on first use: the digests of downloaded presets are remembered, and a change is an error.

Neither hub keeps a publisher, or whoever has taken over the account, from replacing files. For presets whose digests
the catalogue lacks, what was downloaded first is what later downloads are held against.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from keras_segformer.errors import InvalidPresetError
from keras_segformer.files import write_file
from keras_segformer.json_text import read_json

_LOGGER = logging.getLogger("keras_segformer")


def memory_file() -> Path:
    """Returns the file in which the digests are remembered, beside the caches of the hubs' libraries.

    Example:

    >>> memory_file().name
    'digests.json'
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "keras_segformer" / "digests.json"


def digests_of(folder: Path) -> dict[str, str]:
    """Computes the SHA-256 of every file of a preset.

    Args:
        folder: The preset.

    Returns:
        Hexadecimal digests by the path below the folder, with `/`.

    Example:

    >>> import tempfile
    >>> digests_of(Path(tempfile.mkdtemp()))
    {}
    """
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            with file.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
            found[file.relative_to(folder).as_posix()] = digest
    return found


def check_trusted(source: str, folder: Path) -> None:
    """Holds a downloaded preset against what was downloaded from the same place before, or remembers it.

    Args:
        source: The hub's URL, with the revision if one was asked for.
        folder: What was downloaded.

    Raises:
        InvalidPresetError: A file has changed. The message names both digests, and how to accept the new one.
    """
    found, known = digests_of(folder), _read().get(source, {})
    changed = [name for name in found if known.get(name, found[name]) != found[name]]
    if changed:
        name = changed[0]
        raise InvalidPresetError(
            f"{name} of {source} has the SHA-256 {found[name]}, and had {known[name]} when it was first downloaded "
            f"(remembered in {memory_file()}). If its publisher has announced a new version, accept it with "
            f"`keras-segformer presets --trust {source}`; otherwise ask the publisher."
        )
    if found.keys() - known.keys():
        _remember(source, known | found)


def forget(source: str) -> bool:
    """Forgets what a place has sent, so that its next download counts as the first.

    Args:
        source: As for `check_trusted`.

    Returns:
        Whether anything was known of it.

    Raises:
        OSError: The file of digests cannot be written.
    """
    remembered = _read()
    known = remembered.pop(source, None)
    if known is not None:
        _write(remembered)
    return known is not None


def _read() -> dict[str, dict[str, str]]:
    file = memory_file()
    if not file.is_file():
        return {}
    try:
        remembered = read_json(file)
        if not all(isinstance(digests, Mapping) for digests in remembered.values()):
            raise ValueError("it is not an object of objects")
    except (ValueError, AttributeError) as error:
        raise InvalidPresetError(
            f"{file}, the digests of earlier downloads, cannot be read ({error}); remove it to trust anew."
        ) from error
    return remembered


def _remember(source: str, digests: dict[str, str]) -> None:
    try:
        _write(_read() | {source: digests})
    except OSError as error:
        _LOGGER.warning("A later change of %s will not be noticed, since its digests cannot be kept: %s", source, error)


def _write(remembered: dict[str, dict[str, str]]) -> None:
    write_file(memory_file(), json.dumps(remembered, indent=2, sort_keys=True) + "\n")
