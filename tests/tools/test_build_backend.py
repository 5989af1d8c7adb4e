"""The same files give the same archives."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from build_backend import normalised

ROOT = Path(__file__).parents[2]
TREE = ("keras_segformer", "conversion", "tools", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


def archive(time: int, names: tuple[str, ...], user: str) -> bytes:
    """A compressed tar archive of small files."""
    result = io.BytesIO()
    with (
        gzip.GzipFile(filename=user, mode="wb", fileobj=result, mtime=time) as compressed,
        tarfile.open(fileobj=compressed, mode="w") as target,
    ):
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uname = len(name), time, user
            target.addfile(member, io.BytesIO(name.encode()))
    return result.getvalue()


def test_builder_time_and_order_do_not_count():
    one, other = archive(1, ("b", "a"), "me"), archive(2, ("a", "b"), "you")
    assert one != other
    assert normalised(one) == normalised(other)
    with tarfile.open(fileobj=io.BytesIO(normalised(one))) as file:
        assert [file.extractfile(name).read() for name in file.getnames()] == [b"a", b"b"]


def test_content_counts():
    assert normalised(archive(1, ("a",), "me")) != normalised(archive(1, ("b",), "me"))


def build(tree: Path, time: int) -> dict[str, bytes]:
    """The archives of `python -m build` in a copy of the repository whose files are of this time."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in TREE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tree / name, **({"ignore": ignored} if (ROOT / name).is_dir() else {}))
    for file in tree.rglob("*"):
        os.utime(file, (time, time))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tree / "dist")]
    subprocess.run(command, cwd=tree, capture_output=True, check=True)
    return {file.name: file.read_bytes() for file in (tree / "dist").iterdir()}


@pytest.mark.slow
def test_two_builds_have_the_same_bytes(tmp_path):
    pytest.importorskip("build")
    trees = [tmp_path / name for name in ("one", "other")]
    for tree in trees:
        tree.mkdir()
    one, other = build(trees[0], 1_600_000_000), build(trees[1], 1_700_000_000)
    assert len(one) == 2
    assert one == other
    [wheel] = (trees[0] / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        assert {each.date_time[0] for each in file.infolist()} == {1980}
