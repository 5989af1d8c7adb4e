"""The address of the repository is stated once, and stands nowhere while it is not stated."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import nbformat
import pytest

import project_address
from project_address import badges, checked, install_cell, stated, write

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ADDRESS = "https://github.com/someone/segformer"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    return tmp_path


def contents(tree: Path) -> dict[str, str]:
    return {file.relative_to(tree).as_posix(): file.read_text() for file in tree.rglob("*") if file.is_file()}


def first_cells(path: Path) -> tuple[str, str]:
    title, install, *_ = nbformat.read(path, as_version=nbformat.NO_CONVERT).cells
    return title.source, install.source


def test_what_is_written_is_that_of_the_address_which_is_stated(tree):
    before = contents(tree)
    write(stated(tree), tree)
    assert contents(tree) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_have_badges_if_there_is_an_address(path):
    title, install = first_cells(path)
    assert (badges(ADDRESS, path.name).split("](")[0] in title) == (stated() is not None)
    assert install == install_cell(stated())


def test_an_address_is_written_everywhere_and_taken_out_again(tree):
    write(None, tree)
    without = contents(tree)
    assert not any("github.com/someone" in text for text in without.values())
    write(ADDRESS, tree)
    assert stated(tree) == ADDRESS
    urls = tomllib.loads((tree / "pyproject.toml").read_text())["project"]["urls"]
    assert urls["Issues"] == f"{ADDRESS}/issues"
    assert urls["Paper"]
    assert f"\nrepository-code: {ADDRESS}\n" in (tree / "CITATION.cff").read_text()
    for path in (tree / "notebooks").iterdir():
        title, install = first_cells(path)
        assert f"https://colab.research.google.com/github/someone/segformer/blob/main/notebooks/{path.name}" in title
        assert f"https://kaggle.com/kernels/welcome?src={ADDRESS}/blob/main/notebooks/{path.name}" in title
        assert title.startswith("# ")
        assert f"git+{ADDRESS}" in install
    write("https://github.com/other/name", tree)
    assert not any("someone" in text for text in contents(tree).values())
    write(None, tree)
    assert contents(tree) == without


@pytest.mark.parametrize(
    "address", ["github.com/a/b", "https://github.com/a", "https://example.org/a/b", "git@github.com:a/b"]
)
def test_other_addresses_are_refused(address):
    with pytest.raises(ValueError, match="is not a repository of GitHub; write https"):
        checked(address)


def test_wrong_addresses_change_nothing(tree, monkeypatch, capsys):
    monkeypatch.setattr(project_address, "ROOT", tree)
    monkeypatch.setattr("sys.argv", ["project_address.py", "https://example.org/a/b"])
    before = contents(tree)
    with pytest.raises(SystemExit):
        project_address.main()
    assert "is not a repository of GitHub" in capsys.readouterr().err
    assert contents(tree) == before


def test_no_other_file_names_a_repository_of_ours():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.yml")]
    named = {match for page in pages for match in re.findall(r"https?://\S*keras-segformer[\w./-]*", page.read_text())}
    assert named == set()
