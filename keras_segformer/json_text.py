"""Reading JSON that people and other programs wrote: how large and how deeply nested it may be."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

import numpy as np

MAX_BYTES = 64 * 2**20
"""How much a JSON text may hold unless a caller expects more: configurations and descriptions have kilobytes."""

MAX_DEPTH = 200
"""How deeply arrays and objects may be nested; what is written by hand or by tools has some ten levels."""

_CHUNK = 2**20
_QUOTE, _OPEN, _CLOSE = 1, 2, 3
_KINDS = np.zeros(256, np.uint8)
_KINDS[ord('"')] = _QUOTE
_KINDS[[ord("["), ord("{")]] = _OPEN
_KINDS[[ord("]"), ord("}")]] = _CLOSE


class _File(Protocol):
    """What `pathlib.Path`, `zipfile.Path` and the resources of packages have in common."""

    def read_bytes(self) -> bytes: ...


def parse_json(text: str | bytes, max_bytes: int = MAX_BYTES, *, unique_keys: bool = False) -> Any:
    """Parses a JSON text, after a look at its size and nesting.

    Deep nesting makes Python's parser raise `RecursionError`, and so does almost everything that walks what it returns.

    Args:
        text: The text, or its UTF-8 bytes with or without a byte-order mark.
        max_bytes: The largest size in bytes that is parsed.
        unique_keys: Refuse objects that repeat a key, of which Python would silently keep the last.

    Returns:
        What it describes.

    Raises:
        ValueError: It is not JSON, too large, or nested too deeply. The message is the predicate of a sentence about
            the text, or the parser's own.

    Example:

    >>> parse_json('{"names": ["road"]}')
    {'names': ['road']}
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > max_bytes:
        raise ValueError(f"it has {len(data) / 1e6:.0f} MB, and {max_bytes / 1e6:.0f} MB are allowed")
    if _depth(data) > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    hook = _unique if unique_keys else None
    return json.loads(text if isinstance(text, str) else data.decode("utf-8-sig"), object_pairs_hook=hook)


def read_json(file: _File, max_bytes: int = MAX_BYTES, *, unique_keys: bool = False) -> Any:
    """Reads a JSON file in UTF-8, with or without a byte-order mark.

    Args:
        file: The file, such as a `pathlib.Path`, a `zipfile.Path` or a resource of a package.
        max_bytes: The largest size in bytes that is read.
        unique_keys: As for `parse_json`.

    Returns:
        What it describes.

    Raises:
        OSError: It cannot be read.
        ValueError: As for `parse_json`.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "classes.json"
    >>> _ = path.write_text("[1, 2]")
    >>> read_json(path)
    [1, 2]
    """
    if isinstance(file, Path) and file.stat().st_size > max_bytes:  # before it is in memory
        raise ValueError(f"it has {file.stat().st_size / 1e6:.0f} MB, and {max_bytes / 1e6:.0f} MB are allowed")
    return parse_json(file.read_bytes(), max_bytes, unique_keys=unique_keys)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = next((key for key, count in Counter(key for key, _ in pairs).items() if count > 1), None)
    if repeated is not None:
        raise ValueError(f"the key {repeated!r} occurs twice; keep one of them")
    return dict(pairs)


def _depth(data: bytes) -> int:
    """How many brackets are open at once, those within strings left out."""
    if b"\\" in data:
        # First the escaped backslashes, in pairs from the left, so that what is left before a quote escapes it.
        data = data.replace(rb"\\", b"").replace(rb"\"", b"")
    in_string, open_now, deepest = 0, 0, 0
    for start in range(0, len(data), _CHUNK):
        kinds = _KINDS[np.frombuffer(data, np.uint8, min(_CHUNK, len(data) - start), start)]
        kinds = kinds[kinds > 0]
        quotes = in_string + np.cumsum(kinds == _QUOTE)
        steps = np.where(kinds == _OPEN, 1, np.where(kinds == _CLOSE, -1, 0))
        steps[quotes % 2 == 1] = 0
        if len(kinds):
            depths = open_now + np.cumsum(steps)
            in_string, open_now, deepest = int(quotes[-1]) % 2, int(depths[-1]), max(deepest, int(depths.max()))
    return deepest
