"""The pages, the README among them, and the blocks of code on them."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "conversion/README.md",
        ROOT / "android_demo/README.md",
        ROOT / "web_demo/README.md",
    ]
)

_BLOCK = re.compile(r'^ *```(\w+)(?: title="([^"]+)")?\n(.*?)^ *```$', re.M | re.S)


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code.

    Args:
        page: Where it stands, relative to the repository.
        language: What it is written in.
        title: The other framework that it is written for; empty for this one.
        code: Its lines.
    """

    page: str
    language: str
    title: str
    code: str


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in their order."""
    name = page.relative_to(ROOT).as_posix()
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [Block(name, language, title, textwrap.dedent(code)) for language, title, code in found]


BLOCKS = [block for page in PAGES for block in blocks(page)]
# What needs a server or other programs beside it: tests/docs/test_clients.py, and tests/scale for Beam and Ray.
CLIENTS = [block for block in BLOCKS if block.language == "py"]
