"""The address of the repository: pyproject.toml states it in one place, everything else that names it is written here.

    python tools/project_address.py https://github.com/OWNER/REPOSITORY   # states it, and writes badges and links
    python tools/project_address.py --none                                # takes it out of all of them
    python tools/project_address.py                                       # writes those of the address that is stated

Until an address is stated, nothing links to the repository, which is better than a wrong link.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]

_ADDRESS = re.compile(r"https://github\.com/[\w-]+/[\w.-]*[\w-]")
_LINKS = {"Repository": "", "Issues": "/issues", "Changelog": "/blob/main/CHANGELOG.md"}
_BADGES = {
    "Open in Colab": (
        "https://colab.research.google.com/assets/colab-badge.svg",
        "https://colab.research.google.com/github/{path}",
    ),
    "Open in Kaggle": (
        "https://kaggle.com/static/images/open-in-kaggle.svg",
        "https://kaggle.com/kernels/welcome?src=https://github.com/{path}",
    ),
}
_INSTALL = """\
import glob
import importlib.util
import os
from pathlib import Path

# The clone in which this notebook lies; outside of one, the package index{or_else}.
source = ".." if Path("../conversion/__init__.py").is_file() else "keras-segformer"
if importlib.util.find_spec("keras_segformer") is None:
    %pip install -q "{{source}}[training]"
{from_repository}
# Keras reaches TPUs through JAX, and looks at this variable once, when it is first imported.
if glob.glob("/dev/accel[0-9]*") or glob.glob("/dev/vfio/[0-9]*"):
    os.environ["KERAS_BACKEND"] = "jax"
"""
_FROM_REPOSITORY = """\
importlib.invalidate_caches()
if importlib.util.find_spec("keras_segformer") is None:
    %pip install -q "keras-segformer[training] @ git+{address}"
"""


def stated(root: Path = ROOT) -> str | None:
    """The address in pyproject.toml.

    Args:
        root: The repository.

    Returns:
        The address, without a slash at the end, or `None` where none is stated.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"].get("Repository")


def checked(address: str) -> str:
    """An address that Colab and Kaggle can open notebooks of.

    Args:
        address: What was typed.

    Returns:
        The address without a slash at the end.

    Raises:
        ValueError: It is not the address of a repository on GitHub.

    Example:

    >>> checked("https://github.com/someone/keras-segformer/")
    'https://github.com/someone/keras-segformer'
    """
    address = address.rstrip("/").removesuffix(".git")
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is not a repository of GitHub; write https://github.com/OWNER/REPOSITORY.")
    return address


def write(address: str | None, root: Path = ROOT) -> None:
    """States an address, and writes it wherever else it stands.

    Args:
        address: The address, or `None` for none.
        root: The repository.
    """
    _replace(root / "pyproject.toml", r"(?:Repository|Issues|Changelog) = \"https:.*\"", _links(address), r"Paper = .*")
    code = [f"repository-code: {address}"] if address else []
    _replace(root / "CITATION.cff", r"repository-code: .*", code, r"license: .*")
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        title, install = notebook.cells[:2]
        title.source = _titled(title.source, badges(address, path.name))
        install.source = install_cell(address)
        nbformat.write(notebook, path)


def badges(address: str | None, notebook: str) -> str:
    """What opens a notebook elsewhere.

    Args:
        address: That of the repository, or `None`.
        notebook: The name of the file.

    Returns:
        One line of Markdown; empty without an address.
    """
    if address is None:
        return ""
    path = f"{address.removeprefix('https://github.com/')}/blob/main/notebooks/{notebook}"
    return " ".join(f"[![{name}]({image})]({link.format(path=path)})" for name, (image, link) in _BADGES.items())


def install_cell(address: str | None) -> str:
    """The first cell of code of every notebook.

    Args:
        address: That of the repository, which stands in until the package is on the index, or `None`.

    Returns:
        The code.
    """
    from_repository = _FROM_REPOSITORY.format(address=address) if address else ""
    or_else = " or else the repository" if address else ""
    return _INSTALL.format(or_else=or_else, from_repository=from_repository).rstrip()


def _links(address: str | None) -> list[str]:
    return [f'{name} = "{address}{path}"' for name, path in _LINKS.items()] if address else []


def _titled(text: str, badges: str) -> str:
    """A first cell with these badges, or none, below its title."""
    title, *rest = [part for part in text.split("\n\n") if not part.startswith("[![")]
    return "\n\n".join([title, *([badges] if badges else []), *rest])


def _replace(file: Path, pattern: str, lines: list[str], after: str) -> None:
    """Replaces the lines of a pattern by others, behind the line of another pattern."""
    text = re.sub(rf"^{pattern}\n", "", file.read_text(encoding="utf-8"), flags=re.M)
    block = "".join(f"{line}\n" for line in lines)
    text, count = re.subn(rf"^({after}\n)", lambda match: match[1] + block, text, count=1, flags=re.M)
    assert count == 1, file
    file.write_text(text, encoding="utf-8")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("address", nargs="?", help="such as https://github.com/OWNER/REPOSITORY")
    choice.add_argument("--none", action="store_true", help="take the address out")
    options = parser.parse_args()
    try:
        address = None if options.none else checked(options.address) if options.address else stated()
    except ValueError as error:
        parser.error(str(error))
    write(address)
    print(f"The repository is at {address}." if address else "No address of the repository is stated.")


if __name__ == "__main__":
    main()
