"""Lists of the pictures of every split."""

from __future__ import annotations

import pytest

from fake_exports import write_array, write_picture, write_text


@pytest.fixture
def pairs(export):
    for name in ("a", "site/b", "c"):
        write_picture(export / f"images/{name}.jpg", (1, 2))
        write_array(export / f"masks/{name}.png", [[0, 1]])
    return export


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("a\nsite/b\n", "c\n"),
        ("images/a.jpg masks/a.png\r\nimages/site/b.jpg masks/site/b.png\r\n", "images/c.jpg masks/c.png\r\n"),
        ("/home/me/data/images/a.jpg,x\n/home/me/data/images/site/b.jpg,x\n", "C:\\data\\images\\c.jpg\n"),
        ('"a.jpg"\ngone.jpg\nsite/b.jpg\n', "c.jpg\n"),
    ],
)
def test_lists(train, val, pairs, do_import):
    write_text(pairs / "splits/train.txt", train)
    write_text(pairs / "splits/val_list.txt", val)
    imported = do_import()
    assert sorted(imported.masks) == ["train/masks/a.png", "train/masks/site/b.png", "val/masks/c.png"]
    assert "splits/train.txt lists 2 pictures of the split train." in imported.report.notes


def test_what_is_in_no_list_is_left_out_and_named(pairs, do_import):
    write_text(pairs / "train.txt", "a\n")
    write_text(pairs / "valid.txt", "c\n")
    imported = do_import()
    assert sorted(imported.masks) == ["train/masks/a.png", "val/masks/c.png"]
    assert "Pictures in no list are left out: site/b." in imported.report.notes


def test_the_rest_is_train_without_a_list_of_that(pairs, do_import):
    write_text(pairs / "valid.txt", "c\n")
    imported = do_import()
    assert sorted(imported.masks) == ["train/masks/a.png", "train/masks/site/b.png", "val/masks/c.png"]


def test_what_is_in_two_lists_is_named(pairs, do_import):
    write_text(pairs / "train.txt", "a\nc\nsite/b\n")
    write_text(pairs / "test.txt", "c\n")
    imported = do_import()
    assert {"test/masks/c.png", "train/masks/c.png"} <= imported.masks.keys()
    assert any("in several of the lists" in note and note.endswith(": c.") for note in imported.report.notes)


def test_other_texts_are_no_lists(pairs, do_import):
    write_text(pairs / "train.txt", "Photographs of a street\nby me\na\n")
    write_text(pairs / "trainval.txt", "a\nc\n")
    (pairs / "val.txt").write_bytes(b"\xff\x00\xd8")
    assert sorted(do_import().masks) == ["masks/a.png", "masks/c.png", "masks/site/b.png"]
