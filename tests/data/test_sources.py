"""The layouts of the data sets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fake_datasets import WRITERS, Masks, write_camvid_as_shared, write_classes, write_folder, zip_folder
from keras_segformer.data.masks import ANY_VALUES
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import label_set_names, load_label_set


def read(name: str, data: Path) -> dict[str, Masks]:
    """The class indices of every mask that a source finds."""
    source = SOURCES[name]
    coding = source.coding(data)
    listings = source.find(data)
    assert not any(listing.problems for listing in listings.values())
    for listing in listings.values():
        assert all(pair.image.read_bytes() for pair in listing.pairs)
    return {
        split: {pair.name: coding.read(pair.mask.read_bytes()) for pair in listing.pairs}
        for split, listing in listings.items()
    }


def assert_same(found: dict[str, Masks], written: dict[str, Masks]) -> None:
    assert {split: list(masks) for split, masks in found.items()} == {
        split: sorted(masks) for split, masks in written.items()
    }
    for split, masks in written.items():
        for name, mask in masks.items():
            np.testing.assert_array_equal(found[split][name], mask)


@pytest.mark.parametrize("name", SOURCES)
def test_every_layout_is_read(name, tmp_path):
    written = WRITERS[name](tmp_path)
    assert_same(read(name, tmp_path), written)


@pytest.mark.parametrize("name", SOURCES)
def test_every_layout_is_read_from_an_archive(name, tmp_path):
    written = WRITERS[name](tmp_path / "data")
    zip_folder(tmp_path / "data", tmp_path / "data.zip")
    assert_same(read(name, tmp_path / "data.zip"), written)


def test_a_folder_around_one_of_the_user_is_looked_into(tmp_path):
    written = WRITERS["folder"](tmp_path / "data/mine")
    (tmp_path / "data/__MACOSX").mkdir()
    zip_folder(tmp_path / "data", tmp_path / "data.zip")
    for data in (tmp_path / "data", tmp_path / "data.zip"):
        assert_same(read("folder", data), written)
        assert SOURCES["folder"].left_aside(data) == ()


@pytest.mark.parametrize(
    ("name", "folder"), [("ade20k", "ADEChallengeData2016"), ("voc2012", "VOCdevkit"), ("voc2012", "VOCdevkit/VOC2012")]
)
def test_the_inner_folders_can_be_named(name, folder, tmp_path):
    written = WRITERS[name](tmp_path)
    assert_same(read(name, tmp_path / folder), written)


def test_published_archives_are_found_in_a_folder(tmp_path):
    written = {name: WRITERS[name](tmp_path / name) for name in ("ade20k", "cityscapes")}
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    zip_folder(tmp_path / "ade20k", downloads / "ADEChallengeData2016.zip")
    for folder in ("leftImg8bit", "gtFine"):
        shutil.move(tmp_path / "cityscapes" / folder, tmp_path / folder / folder)
        zip_folder(tmp_path / folder, downloads / f"{folder}_trainvaltest.zip")
    for name in written:
        assert_same(read(name, downloads), written[name])


def test_one_archive_of_cityscapes_may_be_unpacked(tmp_path):
    written = WRITERS["cityscapes"](tmp_path)
    shutil.move(tmp_path / "gtFine", tmp_path / "inner/gtFine")
    zip_folder(tmp_path / "inner", tmp_path / "gtFine_trainvaltest.zip")
    assert_same(read("cityscapes", tmp_path), written)


def test_camvid_with_folders_by_split(tmp_path):
    written = write_camvid_as_shared(tmp_path)
    assert_same(read("camvid", tmp_path), written)


def test_shared_camvid(shared):
    listings = SOURCES["camvid"].find(shared / "data/camvid")
    assert {split: len(listing.pairs) for split, listing in listings.items()} == {"train": 367, "val": 101}
    assert not any(listing.problems for listing in listings.values())


def test_shared_ade20k(shared, tmp_path):
    root = tmp_path / "ADEChallengeData2016"
    samples = shared / "data/ade20k_samples"
    shutil.copytree(samples / "images", root / "images/validation")
    shutil.copytree(samples / "annotations", root / "annotations/validation")
    masks = read("ade20k", tmp_path)["val"]
    assert len(masks) == 3
    assert all(set(np.unique(mask).tolist()) <= {*range(150), 255} for mask in masks.values())


def test_a_split_that_is_missing_is_left_out(tmp_path):
    WRITERS["ade20k"](tmp_path)
    shutil.rmtree(tmp_path / "ADEChallengeData2016/images/training")
    assert list(SOURCES["ade20k"].find(tmp_path)) == ["val"]


def test_folder_with_splits(tmp_path):
    train, val = write_folder(tmp_path / "train", 3), write_folder(tmp_path / "val", 2)
    assert_same(read("folder", tmp_path), {"train": train["train"], "val": val["train"]})


@pytest.mark.parametrize("name", SOURCES)
def test_another_folder_is_refused_with_the_way_to_the_data(name, tmp_path):
    source = SOURCES[name]
    with pytest.raises(InvalidDatasetError, match="does not hold") as error:
        source.find(tmp_path)
    assert source.instructions in str(error.value)
    with pytest.raises(FileNotFoundError, match="there is no"):
        source.find(tmp_path / "missing")


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "ADEChallengeData2016.zip").write_text("<html>not found</html>")
    with pytest.raises(InvalidDatasetError, match="is not a zip archive"):
        SOURCES["ade20k"].find(tmp_path / "ADEChallengeData2016.zip")
    with pytest.raises(InvalidDatasetError, match="is not a zip archive"):
        SOURCES["ade20k"].find(tmp_path)


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "folder"])
def test_codings_of_known_data_sets(name, tmp_path):
    coding = SOURCES[name].coding(tmp_path)
    assert coding.label_set.name in label_set_names()
    assert not coding.void & coding.label_set.raw_to_train.keys()
    assert SOURCES[name].licence == coding.label_set.licence != ""


def test_cityscapes_knows_every_id(tmp_path):
    coding = SOURCES["cityscapes"].coding(tmp_path)
    assert coding.void | coding.label_set.raw_to_train.keys() == {*range(34), 255}


def test_folder_without_classes(tmp_path):
    assert SOURCES["folder"].coding(tmp_path) == ANY_VALUES
    assert SOURCES["folder"].licence == ""


def test_classes_of_a_folder(tmp_path):
    write_classes(tmp_path, ignore_index=9)
    coding = SOURCES["folder"].coding(tmp_path)
    assert coding.label_set.names == ("cat", "dog")
    assert coding.label_set.ignore_index == 255
    assert coding.void == {9, 255}


def test_raw_to_train_names_void_values(tmp_path):
    write_classes(tmp_path, raw_to_train={"0": 0, "128": 1, "7": 9, "9": 9}, ignore_index=9)
    coding = SOURCES["folder"].coding(tmp_path)
    assert coding.void == {255}
    assert coding.label_set.raw_to_train == {0: 0, 128: 1, 7: 255, 9: 255}
    assert coding.names_values


def test_one_class_is_half_of_the_answer(tmp_path):
    write_classes(tmp_path, names=["road"], palette=[[1, 2, 3]])
    with pytest.raises(InvalidDatasetError, match="names one class, 'road'; name what is not of that class too"):
        SOURCES["folder"].coding(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_classes_with_a_byte_order_mark(tmp_path, encoding):
    content = {"name": "mine", "names": ["café", "thé"], "palette": [[0, 0, 0], [1, 1, 1]]}
    (tmp_path / "classes.json").write_text(json.dumps(content, ensure_ascii=False), encoding=encoding)
    assert SOURCES["folder"].coding(tmp_path).label_set.names == ("café", "thé")


class TestSplitsOfAFolder:
    @pytest.mark.parametrize("layout", ["{split}/{kind}", "{kind}/{split}"])
    @pytest.mark.parametrize(
        ("train", "val"), [("train", "val"), ("Train", "valid"), ("training", "validation"), ("train", "test")]
    )
    @pytest.mark.parametrize("kinds", [("images", "masks"), ("Images", "MASKS")])
    def test_names(self, tmp_path, layout, train, val, kinds):
        for split in (train, val):
            for kind, suffix in zip(kinds, ("jpg", "png"), strict=True):
                file = tmp_path / layout.format(split=split, kind=kind) / f"{split}.{suffix}"
                file.parent.mkdir(parents=True)
                file.touch()
        listings = SOURCES["folder"].find(tmp_path)
        found = {split: [pair.name for pair in listing.pairs] for split, listing in listings.items()}
        assert found == {"train": [train], "test" if val == "test" else "val": [val]}

    def test_two_folders_of_one_split(self, tmp_path):
        for path in ("val/images", "val/masks", "valid/images", "valid/masks"):
            (tmp_path / path).mkdir(parents=True)
        with pytest.raises(InvalidDatasetError, match="are both folders of one split; merge them"):
            SOURCES["folder"].find(tmp_path)

    def test_what_is_left_aside(self, tmp_path):
        write_folder(tmp_path / "train")
        for name in ("train/images/notes.txt", "extra/images/a.jpg", "readme.md", ".hidden", "classes.json"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        left_aside = SOURCES["folder"].left_aside(tmp_path)
        assert left_aside == tuple(str(tmp_path / name) for name in ("extra", "readme.md", "train/images/notes.txt"))

    @pytest.mark.parametrize(
        ("data", "others"),
        [
            ("validation", ["val", "validation/depth", "validation/notes.txt"]),  # "val" begins like "validation"
            ("", ["image", "masks_old", "notes.txt"]),
        ],
    )
    def test_folders_beside_those_that_are_read(self, tmp_path, data, others):
        write_folder(tmp_path / data)
        for name in others:
            if name.endswith(".txt"):
                (tmp_path / name).touch()
            else:
                (tmp_path / name).mkdir()
        assert SOURCES["folder"].left_aside(tmp_path) == tuple(str(tmp_path / name) for name in others)

    def test_a_folder_beside_the_splits_of_images(self, tmp_path):
        write_folder(tmp_path / "data")
        for kind in ("images", "masks"):
            (tmp_path / kind).mkdir()
            shutil.move(tmp_path / "data" / kind, tmp_path / kind / "train")
        shutil.rmtree(tmp_path / "data")
        (tmp_path / "images/unlabelled").mkdir()
        for name in ("images/b.jpg", "masks/b.png"):
            (tmp_path / name).touch()
        left_aside = tuple(str(tmp_path / name) for name in ("images/b.jpg", "images/unlabelled", "masks/b.png"))
        assert SOURCES["folder"].left_aside(tmp_path) == left_aside

    def test_what_is_left_aside_in_an_archive(self, tmp_path):
        write_folder(tmp_path / "data/train")
        (tmp_path / "data/readme.md").touch()
        zip_folder(tmp_path / "data", tmp_path / "data.zip")
        assert SOURCES["folder"].left_aside(tmp_path / "data.zip") == (str(tmp_path / "data.zip/readme.md"),)

    def test_folders_without_a_picture(self, tmp_path):
        for name in ("images", "masks"):
            (tmp_path / name).mkdir()
        [problem] = SOURCES["folder"].find(tmp_path)["train"].problems
        assert str(problem) == (
            f"{tmp_path / 'images'} and {tmp_path / 'masks'} hold no pictures and masks; put some there, or remove the "
            "folders of this split"
        )
        assert SOURCES["folder"].left_aside(tmp_path) == ()


def test_any_label_set_of_the_package_can_be_the_classes_of_a_folder(tmp_path):
    for name in label_set_names():
        (tmp_path / "classes.json").write_text(json.dumps(load_label_set(name).to_dict()))
        assert SOURCES["folder"].coding(tmp_path).label_set == load_label_set(name)


@pytest.mark.parametrize("content", ["{", "[]", '{"name": "x"}', '{"name": "x", "names": ["a"], "palette": []}'])
def test_broken_classes_are_named(tmp_path, content):
    (tmp_path / "classes.json").write_text(content)
    with pytest.raises(InvalidDatasetError, match=r"classes\.json' is not a label set: "):
        SOURCES["folder"].coding(tmp_path)


def test_repeated_keys_are_refused(tmp_path):
    content = '{"name": "x", "names": ["a", "b"], "palette": [[0, 0, 0], [1, 1, 1]], "raw_to_train": {"0": 0, "0": 1}}'
    (tmp_path / "classes.json").write_text(content)
    with pytest.raises(InvalidDatasetError, match="the key '0' occurs twice"):
        SOURCES["folder"].coding(tmp_path)


def test_too_many_classes(tmp_path):
    names = [f"class {index}" for index in range(300)]
    write_classes(tmp_path, names=names, palette=[[0, 0, 0]] * 300, ignore_index=65535)
    with pytest.raises(InvalidDatasetError, match="300 classes"):
        SOURCES["folder"].coding(tmp_path)
