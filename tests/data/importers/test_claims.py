"""Which label a picture belongs to where several have found it, and splits that must not leak."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fake_exports import write_array, write_json, write_picture, write_text
from keras_segformer.errors import InvalidDatasetError

BOX = {"category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}


def write_coco(path, *names):
    images = [{"id": number, "file_name": name, "height": 6, "width": 8} for number, name in enumerate(names)]
    annotations = [{"id": number, "image_id": number, **BOX} for number in range(len(names))]
    write_json(path, {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "car"}]})


def written(imported):
    return sorted(imported.masks)


def test_a_missing_picture_does_not_take_that_of_another_folder(export, do_import):
    write_coco(export / "annotations/instances_default.json", "camera_a/0001.jpg", "camera_b/0001.jpg")
    write_picture(export / "images/camera_a/0001.jpg")
    imported = do_import()
    assert written(imported) == ["masks/camera_a/0001.png"]
    assert imported.report.without_picture == ["camera_b/0001.jpg in annotations/instances_default.json"]


def test_a_picture_whose_file_name_alone_fits_several_is_given_to_none(export, do_import):
    write_coco(export / "labels.json", "camera_a/0001.jpg", "camera_b/0001.jpg", "camera_b/0002.jpg")
    write_picture(export / "images/0001.jpg")
    write_picture(export / "images/0002.jpg")
    imported = do_import()
    assert written(imported) == ["masks/camera_b/0002.png"]
    assert any("file name of several labels" in note for note in imported.report.notes)


def test_pictures_elsewhere_are_those_of_the_split(export, tmp_path, do_import):
    for split, value in (("train", 50), ("val", 200)):
        write_coco(export / f"instances_{split}.json", "0001.jpg")
        write_array(tmp_path / f"photographs/{split}/0001.jpg", np.full((6, 8, 3), value))
    imported = do_import(images=tmp_path / "photographs")
    assert written(imported) == ["train/masks/0001.png", "val/masks/0001.png"]
    for split, value in (("train", 50), ("val", 200)):
        image = np.asarray(Image.open(tmp_path / f"output/{split}/images/0001.jpg"))
        assert abs(int(image.mean()) - value) <= 2


def test_tasks_with_one_file_name(export, do_import):
    value = {"x": 0, "y": 0, "width": 50, "height": 50, "rectanglelabels": ["car"]}
    result = {"id": "r", "type": "rectanglelabels", "original_width": 8, "original_height": 6, "value": value}
    tasks = [
        {
            "id": number,
            "data": {"image": f"/data/local-files/?d=images/{site}/0001.jpg"},
            "annotations": [{"id": number, "result": [result]}],
        }
        for number, site in enumerate(("site_a", "site_b"))
    ]
    write_json(export / "tasks.json", tasks)
    write_picture(export / "images/site_a/0001.jpg")
    imported = do_import()
    assert written(imported) == ["masks/0001.png"]
    assert imported.report.without_picture == ["task 1 in tasks.json"]


def test_lists_name_pictures_exactly(export, do_import):
    write_text(export / "data.yaml", "names: [car]\ntrain: train.txt\nval: images/val\n")
    write_text(export / "train.txt", "./images/train/a.jpg\n./images/train/b.jpg\n")
    for name in ("val/a", "train/b"):
        write_picture(export / f"images/{name}.jpg")
        write_text(export / f"labels/{name}.txt", "0 0 0 .5 0 .5 .5 0 .5\n")
    imported = do_import()
    assert written(imported) == ["train/masks/b.png", "val/masks/a.png"]
    assert "train.txt names pictures that are not there: ./images/train/a.jpg." in imported.report.notes


def test_panoptic_masks_are_those_of_the_split(export, do_import):
    for split, number in (("train", 1), ("val", 2)):
        document = {
            "images": [{"id": 1, "file_name": "0001.jpg"}],
            "annotations": [
                {"image_id": 1, "file_name": "0001.png", "segments_info": [{"id": number, "category_id": number}]}
            ],
            "categories": [{"id": 1, "name": "road"}, {"id": 2, "name": "car"}],
        }
        write_json(export / f"annotations/panoptic_{split}.json", document)
        write_array(export / f"panoptic_masks/{split}/0001.png", np.full((6, 8, 3), (number, 0, 0)))
        write_picture(export / f"{split}/0001.jpg")
    imported = do_import()
    assert imported.count("train/masks/0001.png") == {"road": 48}
    assert imported.count("val/masks/0001.png") == {"car": 48}


@pytest.mark.parametrize("name", ["Screenshot at 3.45.12\u202fPM.jpg", "my  photo.jpg"])
def test_spaces_of_file_names_are_kept(name, export, do_import):
    write_coco(export / "result.json", name)
    write_picture(export / "images" / name)
    assert len(do_import().masks) == 1


@pytest.mark.parametrize("name", ["labels_my-project_2024-01-01", "labels"])
def test_json_files_whose_names_begin_with_labels(name, export, do_import):
    write_coco(export / f"{name}.json", "a.jpg")
    write_coco(export / "part2.json", "b.jpg")
    for each in "ab":
        write_picture(export / f"images/{each}.jpg")
    imported = do_import()
    assert len(imported.masks) == 2
    assert not any("another task" in note for note in imported.report.notes)


class TestFolders:
    def test_a_mask_of_each_class_is_refused(self, export, do_import):
        write_picture(export / "images/a.jpg")
        for name in ("car", "road"):
            write_array(export / f"masks/{name}/a.png", np.eye(8)[:6] * 255)
        with pytest.raises(InvalidDatasetError, match=r"images/a\.jpg has several masks, of which none is read: "):
            do_import()

    def test_the_mask_in_the_same_folders_counts(self, export, do_import):
        write_picture(export / "images/site_a/a.jpg")
        for site, value in (("site_a", 0), ("site_b", 1)):
            write_array(export / f"masks/{site}/a.png", np.full((6, 8), value))
        imported = do_import()
        assert written(imported) == ["masks/site_a/a.png"]
        assert "only masks/site_a/a.png is read" in imported.report.problems[0]

    def test_masks_have_no_pictures_of_other_splits(self, export, do_import):
        write_picture(export / "train/images/a.jpg")
        write_picture(export / "val/images/b.jpg")
        for path in ("train/masks/a", "val/masks/a", "val/masks/b"):
            write_array(export / f"{path}.png", np.eye(8)[:6])
        imported = do_import()
        assert written(imported) == ["train/masks/a.png", "val/masks/b.png"]
        assert imported.report.without_picture == ["val/masks/a.png"]

    def test_black_is_a_colour_beside_colours(self, export, do_import):
        write_json(export / "classes.json", {"name": "x", "names": ["car", "road"], "palette": [[9, 0, 0], [0, 9, 0]]})
        colored, black = np.zeros((2, 6, 8, 3))
        colored[:3] = (9, 0, 0)
        for name, mask in (("a", colored), ("b", black)):
            write_picture(export / f"images/{name}.jpg")
            write_array(export / f"masks/{name}.png", mask)
        imported = do_import()
        assert imported.count("masks/a.png") == {"car": 24, "ignored": 24}
        assert imported.report.without_class == ["masks/b.png"]

    def test_black_is_the_value_0_beside_greys(self, export, do_import):
        write_json(export / "classes.json", {"name": "x", "names": ["car", "road"], "palette": [[9, 0, 0], [0, 9, 0]]})
        for name, value in (("a", 1), ("b", 0)):
            write_picture(export / f"images/{name}.jpg")
            write_array(export / f"masks/{name}.png", np.full((6, 8, 3), value))
        imported = do_import()
        assert imported.count("masks/a.png") == {"road": 48}
        assert imported.count("masks/b.png") == {"car": 48}

    def test_ignored_values_of_a_palette_do_not_change_how_it_is_read(self, export, do_import):
        names, palette = ["background", "car", "road"], [[0, 0, 0], [9, 0, 0], [0, 9, 0]]
        write_json(export / "classes.json", {"name": "x", "names": names, "palette": palette})
        colors = [(0, 0, 0), (0, 9, 0), (9, 0, 0), *[(1, 1, 1)] * 252, (224, 224, 192)]
        for name, last in (("a", 0), ("b", 255)):
            write_picture(export / f"images/{name}.jpg", (2, 2))
            write_array(export / f"masks/{name}.png", [[0, 1], [2, last]], colors)
        imported = do_import()
        assert imported.count("masks/a.png") == {"background": 2, "road": 1, "car": 1}
        assert imported.count("masks/b.png") == {"background": 1, "road": 1, "car": 1, "ignored": 1}


class TestSplits:
    def test_folders_named_like_splits(self, export, do_import, tmp_path):
        write_coco(export / "result.json", "test/0001.jpg", "site2/0002.jpg")
        for name in ("test/0001", "site2/0002"):
            write_picture(export / f"images/{name}.jpg")
        imported = do_import()
        assert written(imported) == ["train/masks/site2/0002.png", "train/masks/test/0001.png"]
        assert any("folders named like splits: test" in note for note in imported.report.notes)

    @pytest.mark.parametrize(
        ("lists", "expected"),
        [
            ({"trainval": "012", "val": "2"}, {"train/masks/trainval/0", "train/masks/trainval/1", "val/masks/2"}),
            ({"train": "01", "val": "2", "all": "012"}, {"train/masks/0", "train/masks/1", "val/masks/2"}),
            (
                {"all": "012", "trainval": "012", "val": "2"},
                {"train/masks/all/0", "train/masks/all/1", "val/masks/2"},
            ),
        ],
    )
    def test_lists_of_several_splits_do_not_leak(self, lists, expected, export, do_import):
        for name, members in lists.items():
            write_text(export / f"ImageSets/Segmentation/{name}.txt", "\n".join(members))
        for name in "012":
            write_picture(export / f"JPEGImages/{name}.jpg")
            write_array(export / f"SegmentationClass/{name}.png", np.eye(8)[:6])
        assert {path.removesuffix(".png") for path in do_import().masks} == expected

    def test_folders_around_the_splits_of_labelme(self, export, do_import):
        shape = {"label": "car", "points": [[0, 0], [4, 4]], "shape_type": "rectangle"}
        for split in ("train", "val"):
            document = {"shapes": [shape], "imagePath": "a.jpg", "imageData": None}
            write_json(export / f"export/{split}/a.json", document)
            write_picture(export / f"export/{split}/a.jpg")
        assert written(do_import()) == ["train/masks/export/a.png", "val/masks/export/a.png"]

    def test_a_folder_around_splits_that_is_named_like_one(self, export, do_import):
        for split in ("train", "valid", "test"):
            write_text(export / f"test/{split}/_classes.csv", "Pixel Value, Class\n0, background\n1, car\n")
            write_picture(export / f"test/{split}/a.jpg")
            write_array(export / f"test/{split}/a_mask.png", np.eye(8)[:6])
        assert [path.partition("/")[0] for path in written(do_import())] == ["test", "train", "val"]

    def test_fine_annotations_come_before_coarse_ones_of_another_kind(self, export, do_import):
        write_picture(export / "leftImg8bit/train/town/a_leftImg8bit.png")
        write_array(export / "gtCoarse/train/town/a_gtCoarse_labelIds.png", np.full((6, 8), 23))
        write_array(export / "gtFine/train/town/a_gtFine_labelTrainIds.png", np.zeros((6, 8)))
        assert do_import().count("train/masks/town/a.png") == {"road": 48}

    def test_subsets_with_absolute_paths(self, export, do_import):
        image = '<image id="{0}" name="{0}.jpg" subset="{1}" width="8" height="6"></image>'
        images = image.format("a", "/data/train") + image.format("b", "val")
        labels = "<meta><job><labels><label><name>car</name></label></labels></job></meta>"
        write_text(export / "annotations.xml", f"<annotations>{labels}{images}</annotations>")
        for name in "ab":
            write_picture(export / f"images/{name}.jpg")
        assert sorted(path.partition("/")[0] for path in do_import().masks) == ["train", "val"]


class TestLabelStudio:
    def region(self, left, **fields):
        value = {"x": left, "y": 0, "width": 25, "height": 100, "rectanglelabels": ["car"]}
        return {"type": "rectanglelabels", "original_width": 8, "original_height": 6, "value": value, **fields}

    @pytest.mark.parametrize("key", ["to_name", "item_index"])
    def test_regions_of_several_pictures_are_refused(self, key, export, do_import):
        results = [self.region(0, id="a", **{key: 0}), self.region(50, id="b", **{key: 1})]
        tasks = [
            {"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"id": 1, "result": results}]},
            {"id": 2, "data": {"image": "b.jpg"}, "annotations": [{"id": 2, "result": results[:1]}]},
        ]
        write_json(export / "tasks.json", tasks)
        for name in "ab":
            write_picture(export / f"{name}.jpg")
        imported = do_import()
        assert written(imported) == ["masks/b.png"]
        assert "Task 1 in tasks.json has regions of several pictures" in imported.report.problems[0]

    @pytest.mark.parametrize(("choice", "column"), [("newest", 4), ("oldest", 0)])
    def test_versions_of_the_short_form(self, choice, column, export, do_import):
        records = [
            {
                "id": 1,
                "image": "a.jpg",
                "label": [{**self.region(left)["value"], "original_width": 8, "original_height": 6}],
                "annotation_id": number,
                "updated_at": f"2024-01-0{number}T00:00:00Z",
            }
            for number, left in ((1, 0), (2, 50))
        ]
        write_json(export / "min.json", records)
        write_picture(export / "a.jpg")
        imported = do_import(annotation=choice)
        assert written(imported) == ["masks/a.png"]
        np.testing.assert_array_equal(np.flatnonzero(imported.where("masks/a.png", "car")[0]), [column, column + 1])
        assert any("1 annotations" in note for note in imported.report.notes)

    def test_labels_of_two_controls_are_reported(self, export, do_import):
        other = {**self.region(0, id="a"), "type": "labels"}
        other["value"] = {**other["value"], "labels": ["dent"]}
        del other["value"]["rectanglelabels"]
        tasks = [
            {"id": 1, "data": {"image": "a.jpg"}, "annotations": [{"id": 1, "result": [self.region(0, id="a"), other]}]}
        ]
        write_json(export / "tasks.json", tasks)
        write_picture(export / "a.jpg")
        assert "several labels, of which the first counts: car, dent" in do_import().report.problems[0]


class TestClassLists:
    @pytest.mark.parametrize(
        "text", ["value,name,r,g,b\n0,sky,0,0,9\n7,road,9,0,0\n", "r,g,b,name\n0,0,9,sky\n9,0,0,road\n"]
    )
    def test_columns_of_colours(self, text, export, do_import):
        write_text(export / "classes.csv", text)
        write_picture(export / "images/a.jpg")
        mask = np.zeros((6, 8, 3))
        mask[:] = (9, 0, 0)
        mask[0] = (0, 0, 9)
        write_array(export / "masks/a.png", mask)
        assert do_import(classes=export / "classes.csv").count("masks/a.png") == {"sky": 8, "road": 40}

    def test_values_beside_colours(self, export, do_import):
        write_text(export / "classes.csv", "value,name,r,g,b\n0,sky,0,0,9\n7,road,9,0,0\n")
        write_picture(export / "images/a.jpg")
        write_array(export / "masks/a.png", [[0, 7]] * 6)
        Image.new("RGB", (2, 6)).save(export / "images/a.jpg")
        assert do_import(classes=export / "classes.csv").count("masks/a.png") == {"sky": 6, "road": 6}

    def test_labels_of_one_colour_in_a_labelmap(self, export, do_import):
        write_text(
            export / "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:9,0,0::\nbus:9,0,0::\n"
        )
        write_picture(export / "JPEGImages/a.jpg")
        mask = np.zeros((6, 8, 3))
        mask[0] = (9, 0, 0)
        write_array(export / "SegmentationClass/a.png", mask)
        assert "has one colour for car and bus" in do_import().report.problems[0]

    def test_classes_of_one_colour_in_a_list(self, export, do_import):
        write_text(export / "label_colors.txt", "9 0 0 car\n9 0 0 bus\n0 9 0 road\n")
        write_picture(export / "images/a.jpg")
        mask = np.zeros((6, 8, 3))
        mask[:] = (9, 0, 0)
        write_array(export / "masks/a.png", mask)
        imported = do_import(classes=export / "label_colors.txt")
        assert imported.count("masks/a.png") == {"car": 48}
        assert any("one colour for car and bus, which coloured masks" in note for note in imported.report.notes)
