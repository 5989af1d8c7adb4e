"""CVAT's masks, Pascal VOC, Cityscapes, Roboflow's masks and CamVid."""

from __future__ import annotations

import struct
import unicodedata
import zlib

import numpy as np
import pytest
from PIL import Image

from fake_exports import write_array, write_json, write_picture, write_text
from keras_segformer.errors import InvalidDatasetError

LABELMAP = "# label:color_rgb:parts:actions\r\nbackground:0,0,0::\r\n\r\ntv/monitor:255,0,0::\r\nignored:0,0,255::\r\n"
RED, BLUE, BLACK, ODD = (255, 0, 0), (0, 0, 255), (0, 0, 0), (5, 4, 5)


def write_cvat(export, rows, *, name="a", labelmap=LABELMAP, subset="default", picture=".jpg"):
    write_text(export / "labelmap.txt", labelmap)
    write_text(export / f"ImageSets/Segmentation/{subset}.txt", f"{name}\n")
    write_array(export / f"SegmentationClass/{name}.png", rows)
    write_array(export / f"SegmentationObject/{name}.png", [[ODD]])
    if picture:
        write_picture(export / f"JPEGImages/{name}{picture}", np.shape(rows)[:2])


def test_cvat_colours(export, do_import):
    write_cvat(export, [[RED, BLUE, BLACK, ODD]], name="site/a b", picture=".PNG")
    imported = do_import()
    assert imported.names == ["background", "tv/monitor"]
    assert imported.count("masks/site/a b.png") == {"tv/monitor": 1, "background": 1, "ignored": 2}
    assert imported.report.unknown == {"(5, 4, 5)": 1}
    assert imported.report.unknown_files == {"(5, 4, 5)": ["SegmentationClass/site/a b.png"]}
    assert imported.report.ignored == {"ignored": 1}


def test_cvat_background_in_a_colour_of_its_own(export, do_import):
    labelmap = "car:255,0,0::\nbackground:0,0,255::\n"
    write_cvat(export, [[RED, BLUE, BLACK]], labelmap=labelmap)
    assert do_import().count("masks/a.png") == {"car": 1, "background": 2}


def test_cvat_indices(export, do_import):
    write_cvat(export, [[0, 1, 2, 9]])
    imported = do_import()
    assert imported.count("masks/a.png") == {"background": 1, "tv/monitor": 1, "ignored": 2}
    assert imported.report.unknown == {"9": 1}


def test_cvat_partly_labelled(export, do_import):
    write_cvat(export, [[RED, BLACK]])
    assert do_import(unlabelled="ignore").count("masks/a.png") == {"tv/monitor": 1, "ignored": 1}


def test_cvat_without_pictures(export, tmp_path, do_import):
    write_cvat(export, [[RED, BLACK]], picture=None)
    imported = do_import()
    assert imported.count("masks/a.png") == {"tv/monitor": 1, "background": 1}
    assert imported.report.without_picture == ["SegmentationClass/a.png"]


def test_cvat_with_pictures_elsewhere(export, tmp_path, do_import):
    write_cvat(export, [[RED, BLACK]], picture=None)
    write_picture(tmp_path / "pictures/a.jpg", (1, 2))
    do_import(images=tmp_path / "pictures")
    assert (tmp_path / "output/images/a.jpg").is_file()


def test_cvat_names_in_the_other_form_of_unicode(export, do_import):
    write_cvat(export, [[RED]], name=unicodedata.normalize("NFD", "größe"), picture=None)
    write_text(export / "ImageSets/Segmentation/default.txt", unicodedata.normalize("NFC", "größe"))
    write_picture(export / f"JPEGImages/{unicodedata.normalize('NFC', 'größe')}.jpg", (1, 1))
    assert sorted(do_import().masks) == ["masks/größe.png"]


def test_masks_in_jpeg_are_refused(export, do_import):
    write_cvat(export, [[RED]])
    write_cvat(export, [[RED]], name="b")
    write_text(export / "ImageSets/Segmentation/default.txt", "a\nb\n")
    Image.new("RGB", (1, 1)).save(export / "SegmentationClass/b.png", "JPEG")
    imported = do_import()
    assert list(imported.masks) == ["masks/a.png"]
    assert "SegmentationClass/b.png is a JPEG file; save masks as PNG" in imported.report.problems[0]


def write_voc(export, mask, subset="train", palette=None):
    write_array(export / "SegmentationClass/a.png", mask, palette)
    write_text(export / f"ImageSets/Segmentation/{subset}.txt", "a\n")
    write_picture(export / "JPEGImages/a.jpg", np.shape(mask)[:2])


def test_voc_palettes_are_read_by_index(export, do_import):
    # The colours of the palette are those of other classes.
    write_voc(export, [[0, 15, 255]], palette=[(128, 0, 0)] * 256)
    assert do_import().count("train/masks/a.png") == {"background": 1, "person": 1, "ignored": 1}


@pytest.mark.parametrize("listed", [True, False])
def test_palettes_that_were_sorted_anew_are_read_by_colour(listed, export, do_import):
    """As programs that make files smaller sort them, by how often a colour occurs or by its brightness."""
    person, border = (192, 128, 128), (224, 224, 192)
    write_voc(export, [[0, 1, 2, 3]], palette=[border, person, BLACK, (128, 0, 0)])
    if listed:
        write_text(export / "label_colors.txt", "0 0 0 background\n128 0 0 aeroplane\n192 128 128 person\n")
    expected = {"ignored": 1, "person": 1, "background": 1, "aeroplane": 1}
    assert do_import().count("train/masks/a.png") == expected


def test_voc_colours_of_a_list_without_colours_are_only_a_guess(export, do_import):
    write_voc(export, [[0, 1, 2]], palette=[BLACK, (0, 128, 0), (128, 0, 0)])
    write_text(export / "class_names.txt", "background\ncar\nbus\n")
    assert do_import().count("train/masks/a.png") == {"background": 1, "car": 1, "bus": 1}


def test_cvat_palettes_in_another_order_are_read_by_colour(export, do_import):
    write_cvat(export, [[0]])
    write_array(export / "SegmentationClass/a.png", [[0, 1, 2, 2]], [RED, BLUE, BLACK])
    write_picture(export / "JPEGImages/a.jpg", (1, 4))
    assert do_import().count("masks/a.png") == {"tv/monitor": 1, "ignored": 1, "background": 2}


def test_voc_lists_of_two_paths(export, do_import):
    write_voc(export, np.eye(6))
    write_text(export / "ImageSets/Segmentation/train.txt", "/JPEGImages/a.jpg /SegmentationClass/a.png\n")
    assert do_import().count("train/masks/a.png") == {"background": 30, "aeroplane": 6}


def test_transparent_entries_of_a_palette_are_unlabelled(export, do_import):
    write_voc(export, [[0, 15, 15]])
    mask = Image.fromarray(np.array([[0, 15, 15]], np.uint8))
    mask.putpalette([0] * 768)
    mask.save(export / "SegmentationClass/a.png", transparency=0)
    assert do_import().count("train/masks/a.png") == {"person": 2, "ignored": 1}


def test_masks_with_several_frames_are_refused(export, do_import):
    write_voc(export, [[0, 15]])
    write_array(export / "SegmentationClass/b.png", [[0, 15]])
    frames = [Image.fromarray(np.array([[0, value]], np.uint8)) for value in (15, 20)]
    frames[0].save(export / "SegmentationClass/b.png", save_all=True, append_images=frames[1:])
    write_text(export / "ImageSets/Segmentation/train.txt", "a\nb\n")
    write_picture(export / "JPEGImages/b.jpg", (1, 2))
    imported = do_import()
    assert list(imported.masks) == ["train/masks/a.png"]
    assert "SegmentationClass/b.png has 2 frames" in imported.report.problems[0]


def test_voc_colours_and_border(export, do_import):
    write_voc(export, [[(192, 128, 128), (224, 224, 192), (0, 0, 0), (1, 2, 3)]])
    imported = do_import()
    assert imported.count("train/masks/a.png") == {"background": 1, "person": 1, "ignored": 2}
    assert imported.report.unknown == {"(1, 2, 3)": 1}


def test_voc_with_classes_of_its_own(export, do_import):
    write_voc(export, [[0, 1, 255]])
    write_text(export / "class_names.txt", "_background_\nStraße\n")
    assert do_import().count("train/masks/a.png") == {"_background_": 1, "Straße": 1, "ignored": 1}


def test_voc_masks_that_are_in_no_list_are_named(export, do_import):
    write_voc(export, [[1]])
    write_array(export / "SegmentationClass/b.png", [[1]])
    assert any("no list" in note and "b" in note for note in do_import().report.notes)


def write_cityscapes(export, kind, values, split="train", name="aachen_000000_000019"):
    path = export / f"gtFine/{split}/aachen/{name}_gtFine_{kind}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.asarray(values)
    Image.fromarray(values.astype(np.uint16 if values.max() > 255 else np.uint8)).save(path)
    write_picture(export / f"leftImg8bit/{split}/aachen/{name}_leftImg8bit.png", values.shape)


@pytest.mark.parametrize(
    ("kind", "values"),
    [("labelIds", [[7, 26, 3]]), ("labelTrainIds", [[0, 13, 255]]), ("instanceIds", [[7, 26001, 3]])],
)
def test_cityscapes_ids(kind, values, export, do_import):
    write_cityscapes(export, kind, values)
    imported = do_import()
    assert imported.count("train/masks/aachen/aachen_000000_000019.png") == {"road": 1, "car": 1, "ignored": 1}


def test_cityscapes_takes_label_ids_before_others(export, do_import):
    write_cityscapes(export, "labelTrainIds", [[0]])
    write_cityscapes(export, "labelIds", [[26]])
    assert do_import().count("train/masks/aachen/aachen_000000_000019.png") == {"car": 1}


def test_cityscapes_polygons(export, do_import):
    square = [[0, 0], [3, 0], [3, 3], [0, 3]]
    objects = [
        {"label": "road", "polygon": [[0, 0], [7, 0], [7, 5], [0, 5]]},
        {"label": "cargroup", "polygon": square},
        {"label": "license plate", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]},
        {"label": "sky", "polygon": square, "deleted": 1},
    ]
    content = {"imgHeight": 6, "imgWidth": 8, "objects": objects}
    write_json(export / "gtFine/val/ulm/ulm_1_gtFine_polygons.json", content)
    write_picture(export / "leftImg8bit/val/ulm/ulm_1_leftImg8bit.png")
    assert do_import().count("val/masks/ulm/ulm_1.png") == {"road": 32, "car": 12, "ignored": 4}


def test_cityscapes_layout_with_classes_of_its_own(export, do_import):
    write_cityscapes(export, "labelIds", [[0, 1]])
    write_text(export / "label_colors.txt", "0 0 0 background\n255 0 0 weed\n")
    assert do_import().count("train/masks/aachen/aachen_000000_000019.png") == {"background": 1, "weed": 1}


def write_roboflow(export, mask, split="train", names="background, car", title=None):
    rows = [f"{value}, {name}" for value, name in enumerate(names.split(", "))]
    write_text(export / split / "_classes.csv", "\ufeffPixel Value, Class\r\n" + "\r\n".join(rows))
    write_array(export / split / "a_jpg.rf.0_mask.png", mask)
    write_picture(export / split / "a_jpg.rf.0.jpg", np.shape(mask))
    if title:
        write_text(export / "README.dataset.txt", f"# {title} > 2024\nhttps://universe.roboflow.com/me/x\n")


def test_roboflow_splits_with_lists_of_their_own(export, do_import):
    write_roboflow(export, [[0, 1]])
    write_roboflow(export, [[0, 1]], split="valid", names="background, bus, car")
    imported = do_import()
    assert imported.count("train/masks/a_jpg.rf.0.png") == {"background": 1, "car": 1}
    assert imported.count("val/masks/a_jpg.rf.0.png") == {"background": 1, "bus": 1}


def test_roboflows_0_is_the_background_also_where_it_is_not_listed(export, do_import):
    write_array(export / "train/a_mask.png", [[0, 1]])
    write_picture(export / "train/a.jpg", (1, 2))
    write_text(export / "train/_classes.csv", "Pixel Value, Class\n1, road")
    imported = do_import()
    assert imported.count("train/masks/a.png") == {"background": 1, "road": 1}
    assert not imported.report.unknown


def test_roboflows_unlabeled_is_the_background(export, do_import):
    write_roboflow(export, [[0, 1, 7]], names="unlabeled, car")
    imported = do_import()
    assert imported.names == ["background", "car"]
    assert imported.count("train/masks/a_jpg.rf.0.png") == {"background": 1, "car": 1, "ignored": 1}
    assert imported.report.unknown == {"7": 1}


@pytest.mark.parametrize(("mask", "kept"), [([[0, 1]], False), ([[0, 2]], True)])
def test_roboflows_class_named_like_the_data_set(mask, kept, export, do_import):
    write_roboflow(export, mask, names="background, car, my-data", title="My Data")
    imported = do_import()
    assert ("my-data" in imported.names) == kept
    assert any("my-data" in note for note in imported.report.notes) != kept


def test_roboflows_broken_files_are_named(export, do_import):
    write_roboflow(export, [[0, 1]])
    write_roboflow(export, [[0, 1]], split="valid")
    broken = export / "valid/a_jpg.rf.0_mask.png"
    broken.write_bytes(broken.read_bytes().replace(b"\r\n", b"\n"))
    imported = do_import()
    assert list(imported.masks) == ["train/masks/a_jpg.rf.0.png"]
    assert imported.report.problems[0].startswith("valid/a_jpg.rf.0_mask.png cannot be read")


def test_segnets_indices(export, do_import):
    write_array(export / "trainannot/a.png", [[0, 3, 11]])
    write_picture(export / "train/a.png", (1, 3))
    assert do_import().count("train/masks/a.png") == {"Sky": 1, "Road": 1, "ignored": 1}


def test_nothing_that_is_known(export, do_import):
    write_text(export / "notes.txt", "hello")
    with pytest.raises(InvalidDatasetError, match=r"(?s)Looked for:.*cvat-masks: labelmap.txt.*folders"):
        do_import()


def test_masks_of_background_alone_are_named(export, do_import):
    write_cvat(export, [[BLACK, BLACK]])
    imported = do_import()
    assert imported.count("masks/a.png") == {"background": 2}
    assert imported.report.empty == ["SegmentationClass/a.png"]


def test_labelmap_above_the_folder(export, do_import):
    write_cvat(export / "task", [[RED, BLACK]])
    (export / "task/labelmap.txt").rename(export / "labelmap.txt")
    assert do_import().report.format == "cvat-masks"


@pytest.mark.parametrize("mode", ["1", "L with 2 bits", "I;16"])
def test_grey_masks_of_every_depth(mode, export, do_import):
    write_cvat(export, [[0, 1]])
    path = export / "SegmentationClass/a.png"
    if mode == "1":
        Image.fromarray(np.array([[False, True]])).save(path)
    elif mode == "I;16":
        Image.fromarray(np.array([[0, 1]], np.uint16)).save(path)
    else:
        path.write_bytes(two_bit_png([[0, 1]]))
    assert do_import().count("masks/a.png") == {"background": 1, "tv/monitor": 1}


def two_bit_png(rows):
    """A grey PNG of 2 bits, which Pillow does not write."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    raw = b""
    for row in rows:
        bits = "".join(f"{value:02b}" for value in row).ljust(8, "0")
        raw += b"\0" + bytes([int(bits, 2)])
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 2, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def test_labelme2voc_before_version_5(export, do_import):
    write_picture(export / "JPEGImages/a.jpg")
    write_array(export / "SegmentationClassPNG/a.png", np.eye(8)[:6])
    for folder in ("SegmentationObjectPNG", "SegmentationClassVisualization"):
        write_array(export / f"{folder}/a.png", np.eye(8)[:6])
    (export / "SegmentationClass").mkdir()
    np.save(export / "SegmentationClass/a.npy", np.eye(8, dtype=np.int32)[:6])
    write_text(export / "class_names.txt", "_background_\ncar\n")
    imported = do_import()
    assert imported.count("masks/a.png") == {"_background_": 42, "car": 6}
    assert not imported.report.without_label
