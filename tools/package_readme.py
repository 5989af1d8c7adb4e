"""The README as package indexes show it: they have none of the files that its links lead to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

_IMAGE = re.compile(r"^(?:!\[[^\]]*\]\((?!https?:)[^)]*\)|<img src=\"(?!https?:)[^>]*>)\n+", re.M)
_IMAGE_TARGET = re.compile(r"(!\[[^\]]*\]\(|<img src=\")(?!https?:)([^)\"\s]+)")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


def package_readme(root: Path) -> str:
    """The README of a source tree with links that lead somewhere.

    Args:
        root: The folder of README.md and pyproject.toml.

    Returns:
        Markdown. Links lead to the repository where pyproject.toml states its address; without one, they are plain
        words, and pictures are left out.
    """
    urls = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    return _relinked((root / "README.md").read_text(encoding="utf-8"), urls.get("Repository"))


def _relinked(text: str, address: str | None) -> str:
    if address is None:
        return _LINK.sub(r"\1", _IMAGE.sub("", text))
    raw = address.replace("https://github.com/", "https://raw.githubusercontent.com/")
    text = _IMAGE_TARGET.sub(rf"\1{raw}/main/\2", text)
    return _LINK.sub(rf"[\1]({address}/blob/main/\2)", text)
