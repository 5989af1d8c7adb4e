"""COCO's instances and panoptic segments."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as pycoco

from fake_exports import write_array, write_json, write_picture
from keras_segformer.errors import InvalidDatasetError

CATEGORIES = [{"id": 7, "name": "car"}, {"id": 90, "name": "tv/monitor"}]
SQUARE = [0, 0, 4, 0, 4, 4, 0, 4]


def annotation(category, segmentation, **values):
    return {"id": 1, "image_id": 3, "category_id": category, "segmentation": segmentation, "iscrowd": 0, **values}


def document(*annotations, images=None, categories=CATEGORIES):
    images = images or [{"id": 3, "file_name": "a.jpg", "height": 6, "width": 8}]
    return {"images": images, "annotations": list(annotations), "categories": categories}


def write(export, *annotations, **values):
    write_json(export / "annotations/instances_default.json", document(*annotations, **values))
    write_picture(export / "images/a.jpg")


def test_rings_are_united_not_cut_out(export, do_import):
    write(export, annotation(7, [[0, 0, 6, 0, 6, 6, 0, 6], [2, 2, 4, 2, 4, 4, 2, 4]]))
    assert do_import().count("masks/a.png") == {"car": 36, "background": 12}


@pytest.mark.parametrize("compressed", [False, True])
def test_run_lengths_go_down_the_columns(compressed, export, do_import):
    mask = np.zeros((6, 8), np.uint8)
    mask[1:3, 2:7] = 1
    mask[2, 4] = 0  # a hole
    if compressed:
        run_lengths = pycoco.encode(np.asfortranarray(mask))
        run_lengths = {"size": run_lengths["size"], "counts": run_lengths["counts"].decode()}
    else:
        flat = mask.T.ravel()
        edges = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *edges, flat.size]).tolist()
        run_lengths = {"size": [6, 8], "counts": counts}
    write(export, annotation(90, run_lengths))
    np.testing.assert_array_equal(do_import().where("masks/a.png", "tv/monitor"), mask.astype(bool))


@pytest.mark.parametrize(("crowd", "expected"), [("class", "car"), ("ignore", "ignored")])
def test_crowd_regions(crowd, expected, export, do_import):
    write(export, annotation(7, {"size": [6, 8], "counts": [0, 12, 36]}, iscrowd=1))
    assert do_import(crowd=crowd).count("masks/a.png") == {expected: 12, "background": 36}


def test_smaller_regions_lie_over_larger_ones(export, do_import):
    write(export, annotation(7, [[0, 0, 2, 0, 2, 2, 0, 2]]), annotation(90, [SQUARE]))
    imported = do_import()
    assert imported.count("masks/a.png") == {"car": 4, "tv/monitor": 12, "background": 32}
    assert imported.report.overlap == 4
    assert imported.report.splits["all"].covered[imported.names.index("tv/monitor")] == 4


def test_overlaps_in_the_order_of_the_file(export, do_import):
    write(export, annotation(7, [[0, 0, 2, 0, 2, 2, 0, 2]]), annotation(90, [SQUARE]))
    imported = do_import(overlap="order")
    assert imported.count("masks/a.png") == {"tv/monitor": 16, "background": 32}
    assert any("--overlap order" in rule for rule in imported.report.rules)


def test_ids_with_gaps_and_categories_that_are_not_listed(export, do_import):
    write(export, annotation(90, [SQUARE]), annotation(5, [[4, 4, 8, 4, 8, 6, 4, 6]]))
    imported = do_import()
    assert imported.count("masks/a.png") == {"tv/monitor": 16, "ignored": 8, "background": 24}
    assert imported.report.unknown == {"category 5, which is not listed": 8}


@pytest.mark.parametrize(
    ("segmentation", "why"),
    [
        ([[0, 0, 4, 4]], "three or more pairs"),
        ([[0, 0, 4, 4, 1]], "three or more pairs"),
        ([["x", 0, 4, 4, 1, 1]], "not pairs of numbers"),
        ({"size": [6, 8], "counts": [0, 5]}, "5 pixels instead of 48"),
        ({"size": [6, 8], "counts": [0, -5, 53]}, "instead of 48"),
        ({"size": [6, 8], "counts": "é"}, "not COCO's"),
        ({"size": [8, 6], "counts": [0, 48]}, "6x8 pixels in a picture of 8x6"),
        ({"counts": [0, 48]}, "without a size"),
        ({"size": [float("inf"), 8], "counts": [0, 48]}, "without a size"),
        ("polygon", "neither a list nor an object"),
    ],
)
def test_broken_annotations_are_named(segmentation, why, export, do_import):
    write(export, annotation(7, segmentation), annotation(7, [SQUARE]))
    imported = do_import()
    assert imported.count("masks/a.png")["car"] == 16
    assert len(imported.report.problems) == 1
    assert why in imported.report.problems[0]


def test_run_lengths_in_a_list(export, do_import):
    write(export, annotation(7, [{"size": [6, 8], "counts": [0, 6, 42]}, {"size": [6, 8], "counts": [3, 6, 39]}]))
    assert do_import().count("masks/a.png") == {"car": 9, "background": 39}


def test_a_broken_ring_does_not_take_the_others_with_it(export, do_import):
    write(export, annotation(7, [SQUARE, [0, 0, 4, 4]]))
    imported = do_import()
    assert imported.count("masks/a.png") == {"car": 16, "background": 32}
    [problem] = imported.report.problems
    assert "three or more pairs of x and y; its other rings are drawn" in problem


@pytest.mark.parametrize("segmentation", [[], None])
def test_boxes_give_no_pixels(segmentation, export, do_import):
    write(export, annotation(7, segmentation, bbox=[0, 0, 4, 4]))
    imported = do_import()
    assert imported.count("masks/a.png") == {"background": 48}
    assert imported.report.skipped == {"annotation without segmentation": 1}


def test_byte_order_mark_and_folders_in_names(export, do_import):
    images = [{"id": 3, "file_name": "site\\a.jpg", "height": 6, "width": 8}]
    write_json(export / "instances.json", document(annotation(7, [SQUARE]), images=images), encoding="utf-8-sig")
    write_picture(export / "images/site/a.jpg")
    assert do_import().count("masks/site/a.png")["car"] == 16


def test_the_files_of_splits_keep_pictures_of_one_name_apart(export, do_import):
    for split in ("train", "valid"):
        category = 7 if split == "train" else 90
        write_json(export / split / "_annotations.coco.json", document(annotation(category, [SQUARE])))
        write_picture(export / split / "a.jpg")
    imported = do_import()
    assert imported.count("train/masks/a.png")["car"] == 16
    assert imported.count("val/masks/a.png")["tv/monitor"] == 16


def test_official_layout(export, do_import):
    for split in ("train2017", "val2017"):
        write_json(export / f"annotations/instances_{split}.json", document(annotation(7, [SQUARE])))
        write_json(export / f"annotations/captions_{split}.json", document({"image_id": 3, "caption": "a car"}))
        write_picture(export / split / "a.jpg")
    imported = do_import()
    assert sorted(imported.masks) == ["train/masks/a.png", "val/masks/a.png"]
    assert sum("another task" in note for note in imported.report.notes) == 2


def test_roboflows_group_is_no_class(export, do_import):
    categories = [
        {"id": 0, "name": "things", "supercategory": "none"},
        {"id": 1, "name": "car", "supercategory": "things"},
    ]
    write(export, annotation(1, [SQUARE]), categories=categories)
    imported = do_import()
    assert imported.names == ["background", "car"]
    assert any("'things'" in note for note in imported.report.notes)


def test_pictures_and_labels_without_the_other_are_named(export, do_import):
    images = [{"id": each, "file_name": f"{each}.jpg", "height": 6, "width": 8} for each in (3, 4)]
    write_json(export / "a.json", document(annotation(7, [SQUARE]), images=images))
    write_picture(export / "3.jpg")
    write_picture(export / "5.jpg")
    imported = do_import()
    assert list(imported.masks) == ["masks/3.png"]
    assert imported.report.without_picture == ["4.jpg in a.json"]
    assert imported.report.without_label == ["5.jpg"]


def panoptic(export, ids, segments):
    ids = np.asarray(ids)
    colors = np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], axis=-1)
    write_array(export / "panoptic_val2017/a.png", colors)
    annotations = [{"image_id": 3, "file_name": "a.png", "segments_info": segments}]
    write_json(export / "panoptic_val2017.json", document(*annotations))
    write_picture(export / "val2017/a.jpg", ids.shape)


def test_panoptic_ids_are_little_endian(export, do_import):
    panoptic(
        export,
        [[0, 1, 256], [65536 + 7, 99, 256]],
        [
            {"id": 1, "category_id": 7},
            {"id": 256, "category_id": 90},
            {"id": 65543, "category_id": 7, "iscrowd": 1},
        ],
    )
    imported = do_import()
    assert imported.report.format == "coco-panoptic"
    assert imported.count("val/masks/a.png") == {"car": 2, "tv/monitor": 2, "ignored": 2}
    assert imported.report.unknown == {"segment 99": 1}


def test_both_of_cocos_kinds_are_refused_together(export, do_import):
    panoptic(export, [[1]], [{"id": 1, "category_id": 7}])
    write(export, annotation(7, [SQUARE]))
    with pytest.raises(InvalidDatasetError, match=r"fits several formats: coco \(.*coco-panoptic"):
        do_import()


def test_a_photograph_that_is_stored_turned(export, do_import):
    write(export, annotation(7, [SQUARE]))
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(export / "images/a.jpg", (8, 6), exif=exif)
    imported = do_import()
    assert imported.masks["masks/a.png"].shape == (6, 8)
    picture = next((export.parent / "output/images").iterdir())
    with Image.open(picture) as image:
        assert (image.height, image.width, image.getexif().get(0x0112)) == (6, 8, None)


def test_a_label_drawn_on_the_photograph_as_stored(export, do_import):
    write(export, annotation(7, [SQUARE]))
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(export / "images/a.jpg", (6, 8), exif=exif)
    imported = do_import()
    assert imported.masks["masks/a.png"].shape == (6, 8)
    assert any("as stored" in note for note in imported.report.notes)


def test_things_and_stuff_of_one_picture_are_joined(export, do_import):
    for kind, category, width in (("instances", 7, 2), ("stuff", 90, 4)):
        ring = [0, 0, width, 0, width, 4, 0, 4]
        categories = [each for each in CATEGORIES if each["id"] == category]
        content = document(annotation(category, [ring]), categories=categories)
        write_json(export / f"annotations/{kind}_train2017.json", content)
    write_picture(export / "train2017/a.jpg")
    imported = do_import()
    assert {path: imported.count(path) for path in imported.masks} == {
        "train/masks/a.png": {"car": 8, "tv/monitor": 8, "background": 32}
    }
    assert any("is listed 2 times, and has all regions of" in note for note in imported.report.notes)


def test_a_picture_that_is_listed_twice_is_written_once(export, do_import):
    images = [{"id": number, "file_name": "a.jpg", "height": 6, "width": 8} for number in (3, 4, 4)]
    write(export, annotation(7, [SQUARE]), annotation(90, [[4, 4, 8, 4, 8, 6, 4, 6]], image_id=4), images=images)
    imported = do_import()
    assert list(imported.masks) == ["masks/a.png"]
    assert imported.count("masks/a.png") == {"car": 16, "tv/monitor": 8, "background": 24}


def test_a_picture_that_is_listed_in_two_sizes_is_named(export, do_import):
    images = [{"id": number, "file_name": "a.jpg", "height": 6, "width": 8 * number} for number in (1, 2)]
    write(export, images=[*images, {"id": 3, "file_name": "b.jpg", "height": 6, "width": 8}])
    write_picture(export / "images/b.jpg")
    imported = do_import()
    assert list(imported.masks) == ["masks/b.png"]
    assert "is listed with several sizes, 8x6 and 16x6 pixels" in imported.report.problems[0]


def test_pictures_of_one_id_are_left_out(export, do_import):
    names = {3: "ab", 4: "c"}
    images = [{"id": key, "file_name": f"{name}.jpg"} for key, each in names.items() for name in each]
    write(export, annotation(7, [SQUARE]), annotation(7, [SQUARE], image_id=4), images=images)
    for name in "bc":
        write_picture(export / f"images/{name}.jpg")
    imported = do_import()
    assert list(imported.masks) == ["masks/c.png"]
    assert "gives the id 3 to several images" in imported.report.problems[0]
    assert imported.report.without_label == ["images/a.jpg", "images/b.jpg"]


def test_categories_of_one_id_are_refused(export, do_import):
    write(export, annotation(7, [SQUARE]), categories=[{"id": 7, "name": "car"}, {"id": 7, "name": "bus"}])
    with pytest.raises(InvalidDatasetError, match="gives the id 7 to two categories, 'car' and 'bus'"):
        do_import()


@pytest.mark.parametrize("name", ["my_polygons", "photo.jpg"])
def test_any_name_of_the_file(name, export, do_import):
    write_json(export / f"{name}.json", document(annotation(7, [SQUARE])))
    write_picture(export / "images/a.jpg")
    assert do_import().count("masks/a.png") == {"car": 16, "background": 32}


def test_ids_with_a_fraction_of_0(export, do_import):
    write(export, annotation(7.0, [SQUARE], image_id=3.0))
    assert do_import().count("masks/a.png") == {"car": 16, "background": 32}


@pytest.mark.parametrize("color", [[0.5, 0, 1], [300, 0, 0], [None, 1, 2], [[], 1, 2], "#ff0000", {}])
def test_what_is_no_colour_is_left_aside(color, export, do_import):
    write(export, annotation(7, [SQUARE]), categories=[{"id": 7, "name": "car", "color": color}])
    assert do_import().count("masks/a.png") == {"car": 16, "background": 32}
