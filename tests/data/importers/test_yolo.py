"""YOLO's segmentation labels."""

from __future__ import annotations

import pytest

from fake_exports import write_picture, write_text
from keras_segformer.errors import InvalidDatasetError

SQUARE = "0 0 0.5 0 0.5 0.5 0 0.5"
YAML = "path: ../datasets/mine\ntrain: images/train\nval: images/val\nnames:\n  0: Straße\n  1: tv/monitor\n"


def write(export, rows, split="train", yaml=YAML, encoding="utf-8"):
    write_text(export / "data.yaml", yaml, encoding)
    write_text(export / f"labels/{split}/a.txt", rows)
    write_picture(export / f"images/{split}/a.jpg", (10, 20))


def test_number_0_is_a_class_and_a_background_is_added(export, do_import):
    write(export, f"0 {SQUARE}\r\n\r\n", encoding="utf-8-sig")
    imported = do_import()
    assert imported.names == ["background", "Straße", "tv/monitor"]
    assert imported.count("train/masks/a.png") == {"Straße": 50, "background": 150}


def test_smaller_polygons_lie_over_larger_ones(export, do_import):
    write(export, f"0 0 0 0.1 0 0.1 0.2 0 0.2\n1 {SQUARE}\n")
    imported = do_import()
    assert imported.count("train/masks/a.png") == {"Straße": 4, "tv/monitor": 46, "background": 150}
    assert imported.report.overlap == 4


def test_boxes_and_wrong_rows_are_named(export, do_import):
    write(
        export,
        f"0 0.5 0.5 0.1 0.1\n1 {SQUARE}\n0 1 2 3\n0 0 0 1 x 1 1\n7 {SQUARE}\n0 0 0 640 0 640 480\nnan {SQUARE}\n",
    )
    report = do_import().report
    assert report.skipped == {"box (a row of five numbers)": 1}
    assert report.unknown == {"class 7, which is not listed": 50}
    assert [problem.split(" that ")[0].split(" of ")[0] for problem in report.problems] == [
        "labels/train/a.txt has a row 3",
        "labels/train/a.txt has a row 4",
        "labels/train/a.txt has a row 6 whose corners are not shares from 0 to 1",
        "labels/train/a.txt has a row 7 whose corners are not shares from 0 to 1",
    ]


def test_corners_slightly_outside_are_moved_to_the_border(export, do_import):
    write(export, "0 -0.01 -0.01 1.01 -0.01 1.01 1.01 -0.01 1.01\n")
    assert do_import().count("train/masks/a.png") == {"Straße": 200}


def test_missing_and_empty_labels_are_background(export, do_import):
    write(export, "")
    write_picture(export / "images/val/b.jpg", (10, 20))
    imported = do_import()
    assert imported.count("train/masks/a.png") == imported.count("val/masks/b.png") == {"background": 200}
    assert any(note.startswith("1 pictures have no label file") for note in imported.report.notes)


@pytest.mark.parametrize(
    "names", ["names: [car, bus]", "names:\n  '0': car\n  '1': bus", "names: ['car', 'bus']\nnc: 2"]
)
def test_roboflows_paths(names, export, do_import):
    for split in ("train", "valid"):
        write_text(export / split / "labels/a.txt", f"0 {SQUARE}")
        write_picture(export / split / "images/a.jpg", (10, 20))
    write_text(export / "data.yaml", f"train: ../train/images\nval: ../valid/images\n{names}\n")
    imported = do_import()
    assert imported.names == ["background", "car", "bus"]
    assert sorted(imported.masks) == ["train/masks/a.png", "val/masks/a.png"]


def test_a_list_of_pictures(export, do_import):
    write(export, f"0 {SQUARE}", yaml="train: train.txt\nnames: [car]\n")
    write_text(export / "train.txt", "./images/train/a.jpg\n")
    assert sorted(do_import().masks) == ["train/masks/a.png"]


def test_poses_are_refused(export, do_import):
    write(export, f"0 {SQUARE}", yaml=YAML + "kpt_shape: [17, 3]\n")
    with pytest.raises(InvalidDatasetError, match="poses"):
        do_import()


def test_labels_that_no_split_names(export, do_import):
    write(export, f"0 {SQUARE}")
    write_text(export / "labels/test/b.txt", f"0 {SQUARE}")
    assert do_import().report.without_picture == ["labels/test/b.txt"]


def test_names_are_text(export, do_import):
    write(export, f"1 {SQUARE}\n", yaml="train: images/train\nnames: [on, no, 010, 1.50, ~]\n")
    imported = do_import()
    assert imported.names == ["background", "on", "no", "010", "1.50", "~"]
    assert imported.count("train/masks/a.png") == {"no": 50, "background": 150}


def test_pictures_without_any_label_file_are_refused(export, do_import):
    write_text(export / "data.yaml", YAML)
    write_text(export / "annotations/a.txt", f"0 {SQUARE}\n")
    write_picture(export / "images/train/a.jpg")
    with pytest.raises(
        InvalidDatasetError, match=r"None of the 1 pictures .* has a label file, such as labels/train/a\.txt"
    ):
        do_import()


def test_a_list_of_classes_instead_of_yaml(export, do_import):
    """As Label Studio writes it, with ids before the names of pictures."""
    write_text(export / "classes.txt", "car\nbus\n")
    write_text(export / "notes.json", '{"categories": [{"id": 0, "name": "car"}]}')
    for name, rows in (("0a1b-a", f"1 {SQUARE}\n"), ("0a1b-b", "")):
        write_text(export / f"labels/{name}.txt", rows)
        write_picture(export / f"images/{name}.jpg", (10, 20))
    imported = do_import()
    assert imported.names == ["background", "car", "bus"]
    assert imported.count("masks/0a1b-a.png") == {"bus": 50, "background": 150}
    assert imported.count("masks/0a1b-b.png") == {"background": 200}


def test_a_list_of_classes_that_is_named(export, tmp_path, do_import):
    write(export, f"1 {SQUARE}")
    (export / "data.yaml").unlink()
    with pytest.raises(InvalidDatasetError, match=r"looked for a YAML file with names .* \(or --classes\)"):
        do_import(format="yolo-seg")
    write_text(tmp_path / "names.txt", "Straße\nbus\n")
    imported = do_import(format="yolo-seg", classes=tmp_path / "names.txt")
    assert imported.names == ["background", "Straße", "bus"]
    assert imported.count("train/masks/a.png") == {"background": 150, "bus": 50}


def test_splits_beside_a_list_of_classes(export, do_import):
    write_text(export / "top/classes.txt", "car\n")
    for split in ("train", "valid"):
        write_text(export / f"top/{split}/labels/a.txt", f"0 {SQUARE}\n")
        write_picture(export / f"top/{split}/images/a.jpg")
    imported = do_import(format="yolo-seg")
    assert sorted(path.partition("/")[0] for path in imported.masks) == ["train", "val"]


def test_pictures_elsewhere_in_folders_of_their_own(export, tmp_path, do_import):
    """CVAT's export without pictures."""
    write_text(export / "data.yaml", "names:\n  0: car\npath: .\ntrain: train.txt\n")
    write_text(export / "train.txt", "data/images/train/x/1.jpg\ndata/images/train/y/1.jpg\n")
    for folder, width in (("x", ".5"), ("y", "1")):
        write_text(export / f"labels/train/{folder}/1.txt", f"0 0 0 {width} 0 {width} 1 0 1\n")
        write_picture(tmp_path / f"photographs/{folder}/1.jpg")
    imported = do_import(images=tmp_path / "photographs")
    assert imported.count("train/masks/x/1.png") == {"car": 24, "background": 24}
    assert imported.count("train/masks/y/1.png") == {"car": 48}
