"""Any pair of folders, and the classes.json that is made from masks."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake_exports import Imported, write_array, write_json, write_picture, write_text
from keras_segformer.data.check import check_source
from keras_segformer.data.importers import import_labels
from keras_segformer.data.importers.class_files import write_scanned_classes
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidDatasetError

CLASSES = {"name": "mine", "names": ["road", "car"], "palette": [[255, 0, 0], [0, 0, 255]]}
RED, BLUE, BLACK = (255, 0, 0), (0, 0, 255), (0, 0, 0)


def write(export, mask, image="images/a.jpg", masks="masks/a.png", classes=CLASSES, palette=None):
    write_array(export / masks, mask, palette)
    write_picture(export / image, np.shape(mask)[:2])
    if classes:
        write_json(export / "classes.json", classes)


@pytest.mark.parametrize(
    ("image", "mask", "path"),
    [
        ("images/a.jpg", "masks/a.png", "masks/a.png"),
        ("train/Images/a.JPG", "train/Labels/a.PNG", "train/masks/a.png"),
        ("images/valid/site/a.jpg", "annotations/valid/site/a.png", "val/masks/site/a.png"),
        ("img/train/a.jpg", "gt/train/a_mask.gif", "train/masks/a.png"),
        ("test_images/a.jpg", "test_labels/a.bmp", "test/masks/a.png"),
        ("a.jpg", "a_mask.png", "masks/a.png"),
        ("a.jpg", "a.png", "masks/a.png"),
        ("train/119_sat.jpg", "train/119_mask.png", "train/masks/119_sat.png"),
        ("img_7.png", "mask_7.png", "masks/img_7.png"),
        ("images/IMG_7.JPG", "masks/img_7.png", "masks/IMG_7.png"),
        ("TrainImages/a.jpg", "TrainMasks/a.png", "train/masks/a.png"),
        ("Images/b/a.jpg", "GroundTruth/b/a.png", "masks/b/a.png"),
        ("SegNet/a.jpg", "MaskedLabels/SegNet/a.png", "masks/SegNet/a.png"),
        ("images/a.jpg", "masks/a.jpg.png", "masks/a.png"),
        ("img_dir/train/a.jpg", "ann_dir/train/a.png", "train/masks/a.png"),
        ("images/a.png", "labels/a_P.png", "masks/a.png"),
        ("val2017/a.jpg", "stuffthingmaps_trainval2017/val2017/a.png", "val/masks/a.png"),
        ("images/a.jpg", "masks/a.mask.png", "masks/a.png"),
    ],
)
def test_folders_are_found(image, mask, path, export, do_import):
    write(export, [[0, 1]], image, mask)
    assert do_import().count(path) == {"road": 1, "car": 1}


def test_suffixes(export, do_import):
    write(export, [[0, 1]], "all/a_rgb.jpg", "all/a_truth.png")
    write_picture(export / "all/a_depth.jpg")
    imported = do_import(image_suffix="_rgb.jpg", mask_suffix="_truth")
    assert imported.count("masks/all/a.png") == {"road": 1, "car": 1}


def test_folders_that_are_named(export, tmp_path, do_import):
    write(export, [[0, 1]], "../photographs/a.jpg", "weed/a.png")
    imported = do_import(images=tmp_path / "photographs", masks=export / "weed")
    assert imported.count("masks/a.png") == {"road": 1, "car": 1}


class TestOneNamedFolder:
    """What KITTI, BDD100K and others have: masks in several forms beside the pictures."""

    @pytest.fixture
    def kitti(self, export):
        write(export, [[0, 1]], "training/image_2/000_10.png", "training/semantic/000_10.png")
        write_array(export / "training/semantic_rgb/000_10.png", [[RED, BLUE]])
        write_picture(export / "testing/image_2/000_10.png", (1, 2))
        return export

    def test_it_is_asked_for(self, kitti, do_import):
        with pytest.raises(InvalidDatasetError, match="name the folder of the masks with --masks"):
            do_import()

    def test_of_masks(self, kitti, do_import):
        imported = do_import(masks=Path("training/semantic"))
        assert {path: imported.count(path) for path in imported.masks} == {
            "train/masks/2/000_10.png": {"road": 1, "car": 1}
        }
        assert imported.report.without_label == ["testing/image_2/000_10.png"]

    def test_of_pictures(self, kitti, do_import):
        (kitti / "training/semantic_rgb/000_10.png").unlink()
        assert list(do_import(images=Path("training/image_2")).masks) == ["train/masks/2/000_10.png"]

    def test_inside_an_archive(self, kitti, tmp_path):
        shutil.make_archive(str(tmp_path / "kitti"), "zip", kitti)
        folders = {"images": Path("training/image_2"), "masks": Path("training/semantic")}
        imported = Imported(tmp_path / "kitti.zip", tmp_path / "output", **folders)
        assert imported.count("masks/000_10.png") == {"road": 1, "car": 1}


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        ("images/{}", "ground_truth/{}"),
        ("images/{}", "masks_png/{}"),
        ("{}/left_frames", "{}/ground_truth"),
    ],
)
def test_pictures_of_one_name_are_told_by_the_nearest_folder(images, masks, export, do_import):
    for value, city in enumerate(("austin", "tyrol")):
        write(export, [[value, value]], f"{images.format(city)}/1.png", f"{masks.format(city)}/1.png")
    imported = do_import()
    counts = {
        next(city for city in ("austin", "tyrol") if city in path): imported.count(path) for path in imported.masks
    }
    assert counts == {"austin": {"road": 2}, "tyrol": {"car": 2}}


def test_pictures_beside_masks_of_their_names_are_told_by_the_format(export, do_import):
    write(export, [[0, 1]], "a.jpg", "a.png")
    write_picture(export / "b.jpg", (1, 2))
    assert do_import().report.without_label == ["b.jpg"]


@pytest.mark.parametrize(
    "content",
    [
        {"classes": [{"title": "road", "id": 7, "color": "#FF0000"}, {"title": "car", "id": 8, "color": "#0000FF"}]},
        [{"name": "road", "color": [255, 0, 0]}, {"name": "car", "color": [0, 0, 255]}],
    ],
)
def test_colours_of_other_json_lists(content, export, do_import):
    write(export, [[BLUE, RED, RED]], classes=content)
    assert do_import().count("masks/a.png") == {"road": 2, "car": 1}


@pytest.mark.parametrize(
    "content",
    [
        {"road": 1, "car": 2},
        [{"id": 1, "name": "road"}, {"id": 2, "name": "car"}],
        {"classes": ["sky", "road", "car"]},
    ],
)
def test_values_of_other_json_lists(content, export, do_import):
    write(export, [[1, 2, 2]], classes=content)
    assert do_import().count("masks/a.png") == {"road": 1, "car": 2}


def test_one_name_in_several_splits(export, do_import):
    for split, value in (("train", 0), ("val", 1)):
        write(export, [[value]], f"images/{split}/a.jpg", f"masks/{split}/a.png")
    imported = do_import()
    assert imported.count("train/masks/a.png") == {"road": 1}
    assert imported.count("val/masks/a.png") == {"car": 1}


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ([[RED, BLUE, BLACK, (1, 2, 3)]], {"road": 1, "car": 1, "ignored": 2}),
        ([[(0, 0, 0), (1, 1, 1), (255, 255, 255)]], {"road": 1, "car": 1, "ignored": 1}),
        ([[(*RED, 255), (*BLUE, 255), (*BLUE, 0), (255, 255, 255, 0)]], {"road": 1, "car": 1, "ignored": 2}),
        ([[0, 1, 255, 7]], {"road": 1, "car": 1, "ignored": 2}),
    ],
    ids=["rgb", "grey rgb", "rgba", "grey"],
)
def test_kinds_of_masks(mask, expected, export, do_import):
    write(export, mask)
    assert do_import().count("masks/a.png") == expected


@pytest.mark.parametrize(
    ("palette", "expected"),
    [
        ([RED, BLUE], {"road": 2, "car": 1}),
        ([BLUE, RED], {"road": 1, "car": 2}),
        ([BLACK, (9, 9, 9)], {"road": 2, "car": 1}),
    ],
)
def test_palettes_in_another_order_are_read_by_colour(palette, expected, export, do_import):
    write(export, [[0, 0, 1]], palette=palette)
    assert do_import().count("masks/a.png") == expected


def test_masks_of_16_bits(export, do_import):
    write(export, [[0]], classes={**CLASSES, "raw_to_train": {"300": 0, "7": 1}})
    Image.fromarray(np.array([[300, 7]], np.uint16)).save(export / "masks/a.png")
    write_picture(export / "images/a.jpg", (1, 2))
    assert do_import().count("masks/a.png") == {"road": 1, "car": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("class_dict.csv", "name,r,g,b\nroad,255,0,0\ncar,0,0,255\n"),
        ("label_class_dict.csv", "name,r,g,b\nroad,255,0,0\ncar,0,0,255\n"),
        ("class_dict_seg.csv", "name, r, g, b\nroad, 255, 0, 0\ncar, 0, 0, 255\n"),
        ("class_dict.csv", "name;r;g;b\nroad;255;0;0\ncar;0;0;255\n"),
        ("class_dict.csv", 'name,color\nroad,"(255, 0, 0)"\ncar,#0000FF\n'),
        ("label_colors.txt", "255 0 0 road\n0 0 255 car\n"),
        ("label_colors.txt", "(255, 0, 0): road\n(0, 0, 255): car\n"),
        ("classes.txt", "# colours\nname r g b\nroad 255 0 0\ncar 0 0 255\n"),
        ("labels.txt", "road: [255, 0, 0],\ncar: [0, 0, 255]\n"),
        ("labelmap.txt", "road:255,0,0::\ncar:0,0,255::\n"),
        ("dataset_meta.json", json.dumps({"label_map": {"0": "road", "1": "car"}, "segmentation_colors": [RED, BLUE]})),
    ],
)
def test_lists_of_classes(name, content, export, do_import):
    write(export, [[RED, BLUE]], classes=None)
    write_text(export / name, content, "utf-8-sig")
    assert do_import().count("masks/a.png") == {"road": 1, "car": 1}


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("0 road\n1 car\n", ["road", "car"]),
        ("1: car\n0: road\n", ["car", "road"]),
        ("1 euro\n2 euro\n", ["1 euro", "2 euro"]),
        ("road\ncar 2\n", ["road", "car 2"]),
    ],
)
def test_numbers_in_lists_of_names(content, names, export, do_import):
    write(export, [[0, 0, 1]], classes=None)
    write_text(export / "classes.txt", content)
    imported = do_import()
    assert imported.names == names
    of_0, of_1 = names[::-1] if content.startswith("1:") else names
    assert imported.count("masks/a.png") == {of_0: 2, of_1: 1}


@pytest.mark.parametrize("values", [[0, 127, 255], [0, 128, 255], [0, 85, 170, 255]])
def test_values_in_equal_steps_include_255(values, export, do_import):
    write(export, [values], classes=None)
    imported = do_import()
    assert imported.names == [f"class {value}" for value in values]
    assert imported.report.pixels["ignored"] == 0
    assert any("so 255 is a class" in note for note in imported.report.notes)


def test_255_is_ignored_beside_other_values(export, do_import):
    write(export, [[0, 1, 255]], classes=None)
    assert do_import().count("masks/a.png") == {"class 0": 1, "class 1": 1, "ignored": 1}


def test_255_is_ignored_beside_1_alone(export, do_import):
    write(export, [[1, 1, 255]], classes=None)
    assert do_import().count("masks/a.png") == {"class 1": 2, "ignored": 1}


@pytest.mark.parametrize(("second", "is_told"), [([0, 255], True), ([0, 1], False), ([0, 1, 255], False)])
@pytest.mark.parametrize("classes", [None, CLASSES])
def test_masks_of_two_scales_are_named(second, is_told, classes, export, do_import):
    write(export, [[0, 1]], classes=classes)
    write(export, [second], "images/b.jpg", "masks/b.png", classes=classes)
    told = [
        note for note in do_import().report.notes if note.startswith("Some masks hold 1 but no 255 (1), and others 255")
    ]
    assert len(told) == is_told


def test_a_list_that_is_named(export, tmp_path, do_import):
    write(export, [[0, 1]], classes=None)
    write_text(tmp_path / "names.txt", "Straße\ntv/monitor\n")
    assert do_import(classes=tmp_path / "names.txt").count("masks/a.png") == {"Straße": 1, "tv/monitor": 1}


def test_classes_named_after_what_masks_hold(export, do_import):
    write(export, [[0, 255, 255]], classes=None)
    imported = do_import()
    assert imported.count("masks/a.png") == {"background": 1, "foreground": 2}
    assert any("No list of classes" in note for note in imported.report.notes)


def test_masks_without_pictures_and_the_reverse(export, do_import):
    write(export, [[0]])
    write_array(export / "masks/b.png", [[0]])
    write_picture(export / "images/c.jpg")
    report = do_import().report
    assert report.without_picture == ["masks/b.png"]
    assert report.without_label == ["images/c.jpg"]


def test_pictures_of_one_name_are_refused(export, do_import):
    write(export, [[0]])
    write_picture(export / "images/a.png", (1, 1))
    write(export, [[0]], "images/b.jpg", "masks/b.png")
    imported = do_import()
    assert list(imported.masks) == ["masks/b.png"]
    assert any("fits several pictures" in note for note in imported.report.notes)


@pytest.mark.parametrize(
    ("mask", "names", "raw"),
    [
        ([[0, 1, 255]], ["class 0", "class 1"], None),
        ([[3, 9, 255]], ["class 3", "class 9"], {"3": 0, "9": 1}),
        ([[0, 255]], ["background", "foreground"], {"0": 0, "255": 1}),
        ([[RED, BLACK]], ["background", "colour 255-0-0"], None),
        ([[(0, 0, 0), (255, 255, 255)]], ["background", "foreground"], {"0": 0, "255": 1}),
    ],
    ids=["indices", "values", "binary", "colours", "grey rgb"],
)
def test_classes_from_masks(mask, names, raw, export):
    write(export, mask, classes=None)
    scan, _, path = write_scanned_classes(export)
    written = json.loads(path.read_text())
    assert written["names"] == names
    assert written.get("raw_to_train") == raw
    assert sum(scan.pixels.values()) == len(mask[0])


def test_classes_from_masks_pass_the_check(export):
    write(export, [[3, 9, 255]], classes=None)
    write_scanned_classes(export)
    (report,) = check_source(SOURCES["folder"], export).values()
    assert report.pixels[[0, 1, 255]].tolist() == [1, 1, 1]


def test_a_classes_file_is_not_replaced_unasked(export):
    write(export, [[0]])
    with pytest.raises(FileExistsError, match="--overwrite"):
        write_scanned_classes(export)
    write_scanned_classes(export, overwrite=True)


def test_negative_values_are_no_classes(export, do_import):
    write(export, [[0, 1]], masks="masks/a.tif", classes=None)
    Image.fromarray(np.array([[-9999, 1]], np.int32)).save(export / "masks/a.tif")
    with pytest.raises(InvalidDatasetError, match="hold the value -9999, which cannot be a class; save class indices"):
        do_import()


def test_encrypted_masks_are_named_once(export, tmp_path):
    write(export, [[0, 1]], classes=None)
    archive = Path(shutil.make_archive(str(tmp_path / "export"), "zip", export))
    data = bytearray(archive.read_bytes())
    for head, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        for found in re.finditer(re.escape(head), bytes(data)):
            data[found.start() + flags] |= 1
    archive.write_bytes(data)
    with pytest.raises(
        InvalidDatasetError, match=r"No mask can be read\. masks/a\.png cannot be read \(.* encrypted"
    ) as error:
        import_labels(archive, tmp_path / "output")
    assert str(error.value).count("..") == 0


def test_soft_edges_are_no_classes(export):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    write(export, noise, classes=None)
    with pytest.raises(InvalidDatasetError, match="too many for classes"):
        write_scanned_classes(export)


def test_values_and_colours_are_not_mixed(export):
    write(export, [[0]], classes=None)
    write(export, [[RED]], "images/b.jpg", "masks/b.png", classes=None)
    with pytest.raises(InvalidDatasetError, match="1 masks hold values and 1 hold colours"):
        write_scanned_classes(export)


def test_soft_edges_of_0_and_255_are_refused(export):
    mask = np.zeros((20, 20), np.uint8)
    mask[:, 10:] = 255
    mask[:10, 9] = np.arange(10, 110, 10)
    write(export, mask, classes=None)
    with pytest.raises(InvalidDatasetError, match="edges are soft"):
        write_scanned_classes(export)


def test_two_classes_in_masks_of_0_and_255(export, do_import):
    write(export, [[0, 255, 255]])
    imported = do_import()
    assert imported.count("masks/a.png") == {"road": 1, "car": 2}
    assert any("255 is 'car'" in note for note in imported.report.notes)


@pytest.mark.parametrize("content", [{"0": "road", "1": "car"}, ["road", "car"], {"labels": ["road", "car"]}])
def test_numbered_names_in_json(content, export, do_import):
    write(export, [[0, 1]], classes=None)
    write_json(export / "classes.json", content)
    assert do_import().count("masks/a.png") == {"road": 1, "car": 1}


@pytest.mark.parametrize(
    ("image", "mask", "path"),
    [
        ("Semantic segmentation dataset/images/a.jpg", "Semantic segmentation dataset/masks/a.png", "masks/dataset/a"),
        ("labels/images/a.jpg", "labels/masks/a.png", "masks/a"),
        ("images/masks of 2024/a.jpg", "gt/masks of 2024/a.png", "masks/of_2024/a"),
        ("my_labels/train/images/a.jpg", "my_labels/train/annotations/a.png", "train/masks/my/a"),
        ("images/a.jpg", "masks/a_Mask.PNG", "masks/a"),
        ("images/img_7.jpg", "masks/mask_7.png", "masks/img_7"),
        ("images/7_image.png", "masks/7-label.png", "masks/7_image"),
    ],
)
def test_names_around_folders_and_files(image, mask, path, export, do_import):
    write(export, [[0, 1]], image, mask)
    assert do_import().count(f"{path}.png") == {"road": 1, "car": 1}


def test_a_turned_photograph_that_its_mask_fits_both_ways(export, do_import):
    write(export, np.eye(6))
    write(export, np.eye(6), "images/b.jpg", "masks/b.png")
    turned = Image.Exif()
    turned[0x0112] = 3
    write_picture(export / "images/a.jpg", (6, 6), exif=turned)
    imported = do_import()
    assert list(imported.masks) == ["masks/b.png"]
    assert "masks/a.png is of a picture that is stored turned" in imported.report.problems[0]
