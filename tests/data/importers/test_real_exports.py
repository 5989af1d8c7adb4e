"""Real exports of labelling tools give the pixel counts that were worked out independently."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake_exports import Imported
from keras_segformer.data.check import check_source
from keras_segformer.data.sources import SOURCES

EXPECTED: dict[str, dict[str, dict[str, int]]] = {
    "cvat_segmentation_mask": {
        "train/masks/00000044_512resized.png": {"background": 31337, "cheetah": 18839},
        "train/masks/00000087_512resized.png": {"background": 37795, "cheetah": 12381},
    },
    "cvat_images_xml": {
        "masks/img0.png": {"background": 56, "label1": 8},
        "masks/img1.png": {"background": 99, "ignored": 1},
    },
    "cvat_images_xml_project": {
        f"{split}/masks/{name}.png": {"background": rest, "label1": pixels}
        for split in ("train", "val", "test")
        for name, rest, pixels in (("img0", 56, 8), ("img1", 99, 1))
    },
    "label_studio_png": {
        # 499 pixels lie in several masks, of which the smallest is seen.
        "masks/task-1.png": {"background": 668710, "blue": 5536, "red": 6362, "yellow": 14372}
    },
    "label_studio_json_polygon": {"masks/e97d4735-000000000025.png": {"background": 253372, "Airplane": 19268}},
    "labelme": {"masks/2011_000025.png": {"_background_": 62022, "bus": 118222, "car": 7256}},
    "coco_polygons": {
        "masks/2011_000003.png": {"person": 32412, "bottle": 815, "_background_": 135773},
        "masks/2011_000006.png": {"chair": 44143, "person": 34522, "sofa": 13663, "_background_": 95172},
        "masks/2011_000025.png": {"bus": 117890, "car": 7124, "_background_": 62486},
    },
    "coco_roboflow": {"train/masks/a.png": {"background": 50}, "val/masks/b.png": {"background": 30, "a": 2, "b": 18}},
    "roboflow_png_mask": {
        "test/masks/frame_0349_jpg.rf.834cc2ffe4370b3f243decafb6cb4b6e.png": {
            "background": 829, "door": 213785, "road": 166307, "wall": 28679,
        },
        "train/masks/frame_0368_jpg.rf.6c1a1746621a6825720e8830fcb04a42.png": {
            "background": 6666, "cabinet": 10159, "door": 185520, "road": 189494, "wall": 17761,
        },
        "val/masks/frame_0386_jpg.rf.90a4872873de6708523b3a309a762d19.png": {
            "background": 6901, "cabinet": 9673, "ceiling": 4782, "door": 164283, "road": 196596, "tree": 1389,
            "wall": 25976,
        },
    },
    "yolo_seg": {"train/masks/1.png": {"background": 134, "label_2": 9, "label_4": 7}},
    "voc2012": {"train/masks/2007_000001.png": {"bicycle": 200}},
    "cityscapes_instanceids": {
        "test/masks/defaultcity/defaultcity_000001_000031.png": {"truck": 3, "ignored": 2},
        "test/masks/defaultcity/defaultcity_000001_000032.png": {"wall": 1, "train": 2, "ignored": 2},
        "train/masks/defaultcity/defaultcity_000002_000045.png": {"person": 1, "ignored": 4},
    },
    "camvid_small": {
        "test/masks/0001TP_008550.png": {"Animal": 2, "Road": 1, "Sky": 2},
        "test/masks/0001TP_008580.png": {"Bridge": 1, "Tree": 2, "Archway": 2},
        "train/masks/0001TP_006690.png": {"Bicyclist": 4, "Road": 1},
        "val/masks/0016E5_07959.png": {"Animal": 3, "Child": 2},
    },
    "plain_masks_meta": {
        "masks/0001.png": {"Bicyclist": 4, "Road": 1},
        "masks/0002.png": {"Animal": 3, "Child": 2},
    },
    "derived_supervisely": {"masks/a.png": {"background": 17, "ring": 8}},
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_pixels_of_every_class(name, shared, tmp_path):
    imported = Imported(shared / "exports" / name, tmp_path / "output")
    assert {path: imported.count(path) for path in imported.masks} == EXPECTED[name]
    assert imported.report.problems == []


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "label_studio_json_polygon"])
def test_the_folder_passes_the_check(name, shared, tmp_path):
    report = Imported(shared / "exports" / name, tmp_path / "output").report
    checked = check_source(SOURCES["folder"], tmp_path / "output")
    assert [problem for each in checked.values() for problem in each.problems] == []
    pixels = sum(each.pixels for each in checked.values())
    np.testing.assert_array_equal(pixels, sum(counts.pixels for counts in report.splits.values()))


def test_cvat_masks_keep_classes_without_pixels(shared, tmp_path):
    names = Imported(shared / "exports/cvat_segmentation_mask", tmp_path / "output").names
    assert names == ["background", "cheetah", "fox", "hyena", "lion", "tiger", "wolf"]


def test_cvat_label_without_name_is_reported(shared, tmp_path):
    report = Imported(shared / "exports/cvat_images_xml", tmp_path / "output").report
    assert report.unknown == {"": 1}
    assert report.unknown_files == {"": ["img1.jpg in annotations.xml"]}
    assert report.skipped == {"polyline": 1, "skeleton": 2, "points": 1}


def test_cvat_polygon_with_its_outline(shared, tmp_path):
    imported = Imported(shared / "exports/cvat_images_xml_project", tmp_path / "output", polygon_rule="pil")
    assert imported.count("val/masks/img1.png")["label1"] in (7, 8)  # 8 with Pillow 10.3


def test_label_studio_layers_overlap(shared, tmp_path):
    exports = shared / "exports/label_studio_png"
    assert Imported(exports, tmp_path / "half").report.overlap == 499
    assert Imported(exports, tmp_path / "all", alpha_threshold=1).report.overlap == 607


def test_label_studio_brush_counts_a_region_once(shared, tmp_path):
    imported = Imported(shared / "exports/label_studio_json_brush", tmp_path / "output")
    assert imported.names == ["background", "Snow", "Cloud Shadow", "Haze", "Cloud", "Exclude"]
    report = imported.report
    covered = report.splits["all"].covered[imported.names.index("Cloud")]
    assert report.pixels["Cloud Shadow"] == 261525
    assert report.pixels["Cloud"] + covered == 381431
    assert report.without_picture == ["task 1 in project-1.json"]


def test_labelme_equals_its_own_conversion(shared, tmp_path):
    source = shared / "exports/labelme"
    imported = Imported(source, tmp_path / "output")
    with Image.open(source / "expected_by_tool/SegmentationClass/2011_000025.png") as image:
        np.testing.assert_array_equal(imported.masks["masks/2011_000025.png"], np.asarray(image))


def test_yolo_in_the_order_of_the_file(shared, tmp_path):
    imported = Imported(shared / "exports/yolo_seg", tmp_path / "output", overlap="order")
    assert imported.count("train/masks/1.png") == {"background": 134, "label_2": 5, "label_4": 11}


def test_coco_in_the_order_of_the_file(shared, tmp_path):
    imported = Imported(shared / "exports/coco_polygons", tmp_path / "output", overlap="order")
    assert {path: imported.count(path) for path in imported.masks} == {
        "masks/2011_000003.png": {"person": 32412, "bottle": 815, "_background_": 135773},
        "masks/2011_000006.png": {"chair": 44199, "person": 34428, "sofa": 13701, "_background_": 95172},
        "masks/2011_000025.png": {"bus": 117890, "car": 7124, "_background_": 62486},
    }


def test_coco_boxes_without_segmentation_are_named(shared, tmp_path):
    report = Imported(shared / "exports/coco_roboflow", tmp_path / "output").report
    assert report.skipped == {"annotation without segmentation": 1}
    assert report.overlap == 2


def test_voc_picture_without_mask_is_named(shared, tmp_path):
    report = Imported(shared / "exports/voc2012", tmp_path / "output").report
    assert report.without_label == ["JPEGImages/2007_000002.jpg (listed in test)"]


def test_cityscapes_with_every_id(shared: Path, tmp_path):
    imported = Imported(shared / "exports/cityscapes_instanceids", tmp_path / "output", cityscapes_classes="all")
    assert imported.count("test/masks/defaultcity/defaultcity_000001_000031.png") == {"truck": 3, "ignored": 2}
    assert imported.report.ignored["out of roi"] == 11
