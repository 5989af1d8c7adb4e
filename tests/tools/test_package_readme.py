"""The README of the package has no link that leads nowhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from package_readme import package_readme

ROOT = Path(__file__).parents[2]
TEXT = """# Title

![A street](docs/street.png)

See [install](docs/install.md#extras), [the paper](https://arxiv.org/abs/2105.15203) and [below](#below).

<img src="docs/app.png" width="240" alt="The app">

End.
"""


def readme(folder: Path, text: str, urls: str) -> str:
    (folder / "README.md").write_text(text)
    (folder / "pyproject.toml").write_text(f"[project]\nname = 'x'\n[project.urls]\n{urls}")
    return package_readme(folder)


def test_without_an_address(tmp_path):
    expected = "# Title\n\nSee install, [the paper](https://arxiv.org/abs/2105.15203) and [below](#below).\n\nEnd.\n"
    assert readme(tmp_path, TEXT, "") == expected


def test_with_an_address(tmp_path):
    text = readme(tmp_path, TEXT, "Repository = 'https://github.com/someone/it'\n")
    assert "![A street](https://raw.githubusercontent.com/someone/it/main/docs/street.png)" in text
    assert "[install](https://github.com/someone/it/blob/main/docs/install.md#extras)" in text
    assert '<img src="https://raw.githubusercontent.com/someone/it/main/docs/app.png" width="240"' in text
    assert "[the paper](https://arxiv.org/abs/2105.15203) and [below](#below)" in text


@pytest.mark.parametrize("urls", ["", "Repository = 'https://github.com/someone/it'\n"])
def test_every_link_of_ours_leads_somewhere(tmp_path, urls):
    shutil.copy(ROOT / "README.md", tmp_path)
    text = readme(tmp_path, (ROOT / "README.md").read_text(encoding="utf-8"), urls)
    targets = re.findall(r"\]\(([^)]*)\)|(?:src|href)=\"([^\"]*)\"", text)
    assert all(target.startswith("https://") for pair in targets for target in pair if target)
    assert "make demo" in text
