"""Images and masks that belong together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fake_datasets import write_folder, zip_folder
from keras_segformer.data.pairs import Listing, Pair, Problem, fingerprint, match
from keras_segformer.data.sources import SOURCES


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def reasons(listing: Listing) -> list[tuple[str, str]]:
    """Problems, with the names of files without their folders."""
    return [(" and ".join(Path(file).name for file in p.file.split(" and ")), p.reason) for p in listing.problems]


def test_pairs_are_found_by_name_and_sorted(tmp_path):
    touch(tmp_path, "images/b.jpg", "images/a.PNG", "images/deep/c.webp", "masks/a.png", "masks/b.png")
    touch(tmp_path, "masks/deep/c.png", "images/.hidden.jpg", "images/notes.txt", "masks/.DS_Store/x.png")
    listing = match(tmp_path / "images", tmp_path / "masks")
    assert [pair.name for pair in listing.pairs] == ["a", "b", "deep/c"]
    assert listing.pairs[2] == Pair("deep/c", tmp_path / "images/deep/c.webp", tmp_path / "masks/deep/c.png")
    assert listing.problems == ()


def test_what_is_left_over_is_named(tmp_path):
    touch(tmp_path, "images/a.jpg", "images/b.jpg", "images/b.png", "masks/b.png", "masks/c.png", "images/d.jpg")
    touch(tmp_path, "masks/d.png")
    listing = match(tmp_path / "images", tmp_path / "masks")
    assert [pair.name for pair in listing.pairs] == ["d"]
    assert reasons(listing) == [
        ("a.jpg", "has no mask"),
        ("b.jpg and b.png", "have one name; keep one of them"),
        ("c.png", "has no image"),
    ]


def test_unicode_spells_one_name_in_two_ways(tmp_path):
    """macOS writes "e" and an accent where others write "é"."""
    touch(tmp_path, "images/cafe\u0301.jpg", "masks/caf\u00e9.png")
    listing = match(tmp_path / "images", tmp_path / "masks")
    assert [pair.name for pair in listing.pairs] == ["caf\u00e9"]
    assert listing.problems == ()
    assert len(match(tmp_path / "images", tmp_path / "masks", names=["cafe\u0301"]).pairs) == 1


def test_files_of_other_kinds_are_left_aside(tmp_path):
    touch(tmp_path, "images/a.jfif", "images/a.txt", "masks/a.gif", "masks/a.json", "masks/.DS_Store")
    listing = match(tmp_path / "images", tmp_path / "masks")
    assert [pair.name for pair in listing.pairs] == ["a"]
    assert listing.left_aside == (str(tmp_path / "images/a.txt"), str(tmp_path / "masks/a.json"))


def test_only_listed_names_count(tmp_path):
    touch(tmp_path, "images/a.jpg", "images/b.jpg", "masks/a.png")
    listing = match(tmp_path / "images", tmp_path / "masks", names=["a", "a", "z"])
    assert [pair.name for pair in listing.pairs] == ["a"]
    assert reasons(listing) == [("z", "is listed, but has neither image nor mask")]


def test_suffixes_are_longer_than_extensions(tmp_path):
    touch(tmp_path, "images/x_left.png", "masks/x_ids.png", "masks/x_color.png")
    listing = match(tmp_path / "images", tmp_path / "masks", ("_left.png",), ("_ids.png",))
    assert [pair.name for pair in listing.pairs] == ["x"]
    assert listing.problems == ()


def test_a_problem_is_a_sentence():
    assert str(Problem("a.png", "has no image")) == "a.png has no image"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_folder(tmp_path / "pets")
    return tmp_path / "pets"


def key(data: Path, coding: object = None) -> str:
    return fingerprint(SOURCES["folder"].find(data), coding)


def test_fingerprint_is_the_same_for_a_moved_folder(folder, tmp_path):
    before = key(folder)
    folder.rename(tmp_path / "moved")
    assert key(tmp_path / "moved") == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: os.utime(folder / "masks/pet_0.png", ns=(0, 0)),
        lambda folder: (folder / "images/pet_0.jpg").rename(folder / "images/pet_9.jpg"),
        lambda folder: (folder / "images/new.jpg").touch(),
        lambda folder: [(folder / kind).unlink() for kind in ("images/pet_1.jpg", "masks/pet_1.png")],
    ],
    ids=["time", "name", "left over", "removed"],
)
def test_fingerprint_changes_with_the_files(folder, change):
    before = key(folder)
    change(folder)
    assert key(folder) != before


def test_fingerprint_changes_with_the_size_alone(folder):
    before, file = key(folder), folder / "masks/pet_0.png"
    time = file.stat().st_mtime_ns
    file.write_bytes(file.read_bytes() + b"\0")
    os.utime(file, ns=(time, time))
    assert key(folder) != before


def test_fingerprint_changes_with_the_coding(folder):
    assert key(folder, "one") != key(folder, "other")


def test_fingerprint_of_an_archive_depends_on_its_content(folder, tmp_path):
    archive = tmp_path / "pets.zip"
    zip_folder(folder, archive)
    before = key(archive)
    os.utime(archive, ns=(0, 0))
    assert key(archive) == before
    (folder / "masks/pet_0.png").write_bytes((folder / "masks/pet_1.png").read_bytes())
    zip_folder(folder, archive)
    assert key(archive) != before


def test_links_to_folders_around_them_are_not_followed(tmp_path):
    touch(tmp_path, "elsewhere/b.jpg", "images/a.jpg", "masks/a.png", "masks/b.png")
    (tmp_path / "images/b.jpg").symlink_to(tmp_path / "elsewhere/b.jpg")
    (tmp_path / "images/deep").mkdir()
    loops = [tmp_path / path for path in ("images/loop", "images/deep/loop", "masks/loop")]
    for loop in loops:
        loop.symlink_to(tmp_path / loop.relative_to(tmp_path).parts[0])
    listing = match(tmp_path / "images", tmp_path / "masks")
    assert [pair.name for pair in listing.pairs] == ["a", "b"]
    assert listing.left_aside == tuple(sorted(map(str, loops)))


def test_links_that_lead_to_each_other_are_followed_once(tmp_path):
    touch(tmp_path, "images/one/a.jpg", "images/two/b.jpg", "masks/x.png")
    (tmp_path / "images/one/to_two").symlink_to(tmp_path / "images/two")
    (tmp_path / "images/two/to_one").symlink_to(tmp_path / "images/one")
    listing = match(tmp_path / "images", tmp_path / "masks")
    assert [Path(problem.file).name for problem in listing.problems] == ["a.jpg", "b.jpg", "b.jpg", "a.jpg", "x.png"]
