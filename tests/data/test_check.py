"""Every kind of problem is found, and named with its file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake_datasets import WRITERS, random_mask, write_classes, write_folder, write_image, write_mask, zip_folder
from keras_segformer.cli import main
from keras_segformer.data import check
from keras_segformer.data.check import check_pairs, check_source, describe_problems
from keras_segformer.data.pairs import match
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidDatasetError
from keras_segformer.label_sets import load_label_set


def problems_of(data: Path, name: str = "folder") -> list[str]:
    """The problems of a data set, with paths below its folder."""
    reports = check(name, data)
    return [str(problem).replace(f"{data}/", "") for report in reports.values() for problem in report.problems]


def test_unknown_name(tmp_path):
    with pytest.raises(ValueError, match="no data set 'kitti' to check; choose one of ade20k"):
        check("kitti", tmp_path)


@pytest.mark.parametrize("name", SOURCES)
def test_histogram(name, tmp_path):
    written = WRITERS[name](tmp_path)
    reports = check(name, tmp_path)
    assert list(reports) == list(written)
    for split, report in reports.items():
        masks = list(written[split].values())
        assert report.problems == ()
        assert sorted(pair.name for pair in report.good) == sorted(written[split])
        expected = sum(np.bincount(mask.ravel(), minlength=256) for mask in masks)
        np.testing.assert_array_equal(report.pixels, expected)
        present = [np.count_nonzero([(mask == index).any() for mask in masks]) for index in range(256)]
        np.testing.assert_array_equal(report.images, present)


def test_histogram_of_shared_camvid(shared):
    labels = shared / "data/camvid/val/labels"
    names = sorted(path.stem for path in labels.iterdir())[:8]
    listing = match(shared / "data/camvid/val/images", labels, names=names)
    report = check_pairs(listing, SOURCES["camvid"].coding("."))
    assert report.problems == ()
    raw = sum(np.bincount(np.asarray(Image.open(labels / f"{name}.png")).ravel(), minlength=12) for name in names)
    np.testing.assert_array_equal(report.pixels[:11], raw[:11])
    assert report.pixels[255] == raw[11]
    assert report.label_set == load_label_set("camvid")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good pairs, `pet_0` to `pet_2`."""
    write_folder(tmp_path / "pets")
    return tmp_path / "pets"


def test_left_over_files(folder):
    write_image(folder / "images/lonely.jpg")
    write_mask(folder / "masks/orphan.png", random_mask([0, 1]))
    write_image(folder / "images/pet_0.png")
    assert problems_of(folder) == [
        "images/lonely.jpg has no mask",
        "masks/orphan.png has no image",
        "images/pet_0.jpg and images/pet_0.png have one name; keep one of them",
    ]


def test_truncated_image(folder):
    file = folder / "images/pet_1.jpg"
    file.write_bytes(file.read_bytes()[:-100])
    assert problems_of(folder) == ["images/pet_1.jpg is truncated or broken; save or download it again"]


def test_broken_mask(folder):
    file = folder / "masks/pet_1.png"
    content = bytearray(file.read_bytes())
    content[-20] ^= 1  # in the checksum of the pixels
    file.write_bytes(content)
    (problem,) = problems_of(folder)
    assert problem.startswith("masks/pet_1.png ")
    assert problem.endswith("; save or download it again")


def test_both_files_broken(folder):
    for file in (folder / "images/pet_1.jpg", folder / "masks/pet_1.png"):
        file.write_bytes(b"")
    assert problems_of(folder) == [
        "masks/pet_1.png cannot be read as a PNG, GIF, BMP or TIFF; save or download it again",
        "images/pet_1.jpg cannot be read as an image; save or download it again",
    ]


def test_files_that_cannot_be_opened(folder):
    (folder / "images/pet_1.jpg").unlink()
    (folder / "images/pet_1.jpg").symlink_to(folder / "nowhere.jpg")
    assert problems_of(folder) == ["images/pet_1.jpg cannot be read (No such file or directory)"]


def test_broken_archives(folder, tmp_path):
    archive = tmp_path / "pets.zip"
    zip_folder(folder, archive)
    image = (folder / "images/pet_1.jpg").read_bytes()
    archive.write_bytes(archive.read_bytes().replace(image[-200:-100], bytes(100)))
    (problem,) = check_source(SOURCES["folder"], archive)["train"].problems
    assert problem.file == f"{archive}/images/pet_1.jpg"
    assert problem.reason.startswith("cannot be read (Bad CRC-32")


def test_sizes_that_differ(folder):
    write_mask(folder / "masks/pet_1.png", random_mask([0, 1, 2], size=(40, 55)))
    assert problems_of(folder) == [
        "images/pet_1.jpg and masks/pet_1.png differ in size: 40x50 and 40x55 (height x width)"
    ]


def test_empty_masks(folder):
    write_mask(folder / "masks/pet_1.png", np.full((40, 50), 255, np.uint8))
    assert problems_of(folder) == ["masks/pet_1.png has no pixel of any class"]


def test_every_problem_is_named_where_no_pair_is_good(folder):
    for index in range(3):
        write_mask(folder / f"masks/pet_{index}.png", np.full((40, 50), 255, np.uint8))
    assert problems_of(folder) == [f"masks/pet_{index}.png has no pixel of any class" for index in range(3)]


def test_values_out_of_range(folder):
    write_classes(folder)
    assert problems_of(folder) == [f"masks/pet_{index}.png has the value 2, which no class has" for index in range(3)]


@pytest.mark.parametrize(("name", "value"), [("ade20k", 151), ("cityscapes", 34), ("camvid", 12), ("voc2012", 21)])
def test_values_out_of_range_of_known_data_sets(name, value, tmp_path):
    WRITERS[name](tmp_path)
    pair = SOURCES[name].find(tmp_path)["val"].pairs[0]
    write_mask(pair.mask, np.full((40, 50), value, np.uint8))
    (problem,) = problems_of(tmp_path, name)
    assert problem.endswith(f"{pair.mask.name} has the value {value}, which no class has")


def test_bad_pairs_do_not_count(folder):
    good = [np.asarray(Image.open(folder / f"masks/pet_{index}.png")) for index in (0, 2)]
    (folder / "images/pet_1.jpg").write_bytes(b"")
    report = check_source(SOURCES["folder"], folder)["train"]
    assert [pair.name for pair in report.good] == ["pet_0", "pet_2"]
    np.testing.assert_array_equal(report.pixels, np.bincount(np.ravel(good), minlength=256))


def test_generic_classes_are_those_of_all_splits(tmp_path):
    write_folder(tmp_path / "train")
    write_folder(tmp_path / "val", 1)
    write_mask(tmp_path / "val/masks/pet_0.png", random_mask([3, 255]))
    reports = check_source(SOURCES["folder"], tmp_path)
    assert {report.label_set.names for report in reports.values()} == {("class 0", "class 1", "class 2", "class 3")}


@pytest.mark.parametrize("values", [[0, 255], [1, 2], [0, 100, 200]])
def test_values_that_say_nothing_about_classes(folder, values):
    for index in range(3):
        write_mask(folder / f"masks/pet_{index}.png", random_mask(values))
    with pytest.raises(InvalidDatasetError, match=r"write a classes\.json .* of 0 and 255, or let .* write it"):
        check_source(SOURCES["folder"], folder)


def test_of_many_values_the_first_are_listed(folder):
    write_mask(folder / "masks/pet_0.png", random_mask(list(range(0, 250, 10))))
    with pytest.raises(InvalidDatasetError, match=r"the values 0, 1, 2, 10, 20, 30, 40, 50, 60, 70, …, which"):
        check_source(SOURCES["folder"], folder)


@pytest.mark.parametrize("options", [[], ["--skip-bad"]])
def test_an_empty_split_is_a_problem(tmp_path, options, capsys):
    write_folder(tmp_path / "train")
    for name in ("images", "masks"):
        (tmp_path / "val" / name).mkdir(parents=True)
    assert main(["data", "check", "folder", "--data", str(tmp_path), *options]) == 1
    captured = capsys.readouterr()
    assert f"{tmp_path / 'val/masks'} hold no pictures and masks; put some there" in captured.err
    assert ("error: split val has no pair of image and mask to use; add some\n" in captured.err) == bool(options)
    assert "left aside" not in captured.out


def test_a_class_that_never_occurs_is_named(folder, capsys):
    write_classes(folder, names=["a", "b", "c", "d"], palette=[[0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]])
    [doubt] = check("folder", folder)["train"].doubts
    assert doubt.startswith("no pixel has the class 3 (d); check that the masks hold class indices")
    assert check("folder", folder)["train"].to_dict()["doubts"] == [doubt]
    assert main(["data", "check", "folder", "--data", str(folder)]) == 0
    assert f"warning: {doubt}" in capsys.readouterr().out


def test_classes_of_one_name_are_named(folder):
    write_classes(folder, names=["a", "b", "a"], palette=[[0, 0, 0], [1, 1, 1], [2, 2, 2]])
    assert check("folder", folder)["train"].doubts == ("several classes are named 'a'; give each its own name",)


@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        ([[0, 1], [0, 255]], True),
        ([[0, 1], [0, 1], [0], [0, 255]], True),
        ([[0, 1, 255], [0, 1], [0, 255]], False),  # 255 is beside 1, and another value
        ([[0, 1, 2], [0, 255]], False),
        ([[0, 1], [0]], False),
    ],
)
def test_masks_of_two_scales_are_named(tmp_path, values, is_told):
    for index, each in enumerate(values):
        write_image(tmp_path / f"images/{index}.jpg")
        write_mask(tmp_path / f"masks/{index}.png", random_mask(each))
    doubts = check("folder", tmp_path)["train"].doubts
    if not is_told:
        assert doubts == ()
        return
    [doubt] = doubts
    first, last = tmp_path / "masks/0.png", tmp_path / f"masks/{len(values) - 1}.png"
    told = f"masks such as {first} hold 1 but no 255 ({values.count([0, 1])} in all), and others such as {last} hold"
    assert doubt.startswith(f"{told} 255 but no 1 (1); 255 is ignored")
    write_classes(tmp_path, names=["a", "b"], palette=[[0, 0, 0], [9, 9, 9]], raw_to_train={"0": 0, "1": 1, "255": 1})
    report = check("folder", tmp_path)["train"]
    assert report.doubts == ()
    assert report.images[:2].tolist() == [len(values), len(values) - (len(values) > 2)]


def test_pipes_are_not_read(folder):
    (folder / "images/pet_0.jpg").unlink()
    os.mkfifo(folder / "images/pet_0.jpg")
    assert problems_of(folder) == ["images/pet_0.jpg is a pipe or device; copy its content into a file"]


def test_only_the_first_frame_of_a_picture_is_read(folder):
    (folder / "images/pet_0.jpg").unlink()
    frames = [Image.fromarray(np.full((40, 50, 3), value, np.uint8)) for value in (0, 200)]
    frames[0].save(folder / "images/pet_0.gif", save_all=True, append_images=frames[1:])
    [assumption] = check("folder", folder)["train"].assumptions
    assert assumption.endswith("pet_0.gif has 2 frames, of which only the first is read")


def test_binary_masks_with_classes(folder):
    for index in range(3):
        write_mask(folder / f"masks/pet_{index}.png", random_mask([0, 255], seed=index))
    write_classes(folder, raw_to_train={"0": 0, "255": 1})
    report = check_source(SOURCES["folder"], folder)["train"]
    assert report.problems == ()
    assert report.pixels[:2].sum() == 3 * 40 * 50


def test_coloured_masks(folder):
    write_classes(folder)
    colors = np.array([[255, 0, 0], [0, 0, 255], [0, 0, 0]], np.uint8)
    for index in range(3):
        Image.fromarray(colors[random_mask([0, 1, 2])]).save(folder / f"masks/pet_{index}.png")
    report = check_source(SOURCES["folder"], folder)["train"]
    assert report.problems == ()
    np.testing.assert_array_equal(
        report.pixels[[0, 1, 255]], 3 * np.bincount(random_mask([0, 1, 2]).ravel(), minlength=3)
    )


def test_one_split(tmp_path):
    WRITERS["camvid"](tmp_path)
    assert list(check_source(SOURCES["camvid"], tmp_path, ["val"])) == ["val"]
    with pytest.raises(InvalidDatasetError, match="has no split 'test'; choose one of train, val"):
        check_source(SOURCES["camvid"], tmp_path, ["test"])


def test_reports_are_json(folder):
    write_image(folder / "images/lonely.jpg")
    content = json.loads(json.dumps(check_source(SOURCES["folder"], folder)["train"].to_dict()))
    assert content["good_pairs"] == 3
    assert [entry["name"] for entry in content["classes"]] == ["class 0", "class 1", "class 2"]
    assert sum(entry["pixels"] for entry in content["classes"]) + content["ignored_pixels"] == 3 * 40 * 50
    assert content["problems"] == [{"file": str(folder / "images/lonely.jpg"), "reason": "has no mask"}]


def test_the_progress_is_shown(folder, capsys):
    check_source(SOURCES["folder"], folder)
    captured = capsys.readouterr()
    assert "Checking train" in captured.err
    assert captured.out == ""


def test_descriptions_name_the_first():
    assert describe_problems(["a is bad"]) == "1 problem: a is bad"
    assert describe_problems(["a", "b", "c", "d", "e"]) == "5 problems: a; b; c; and 2 more"
