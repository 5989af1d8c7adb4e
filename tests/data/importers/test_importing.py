"""What all imports share: classes, names, archives, files that are left alone."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fake_exports import Imported, write_array, write_json, write_picture, write_text
from keras_segformer.data.check import check_source
from keras_segformer.data.importers import FORMATS, ImportOptions, import_labels, importing, tree
from keras_segformer.data.sources import SOURCES
from keras_segformer.errors import InvalidDatasetError

CATEGORIES = [{"id": 1, "name": "car"}, {"id": 2, "name": "Void"}]


SHAPES = {"shapes": [{"label": "car", "points": [[0, 0], [4, 0], [4, 4]]}], "imageData": None}


def write_coco(export, names=("a.jpg",), categories=CATEGORIES, folder="images"):
    images = [{"id": each, "file_name": name, "height": 6, "width": 8} for each, name in enumerate(names)]
    annotations = [
        {"image_id": each, "category_id": category["id"], "segmentation": [[x, 0, x + 1, 0, x + 1, 6, x, 6]]}
        for each, _ in enumerate(names)
        for x, category in enumerate(categories)
    ]
    write_json(export / "a.json", {"images": images, "annotations": annotations, "categories": categories})
    for name in names:
        write_picture(export / folder / name)


def test_void_labels_are_ignored_unless_told_otherwise(export, tmp_path):
    write_coco(export)
    imported = Imported(export, tmp_path / "default")
    assert imported.count("masks/a.png") == {"car": 6, "ignored": 6, "background": 36}
    assert imported.report.ignored == {"Void": 6}
    assert Imported(export, tmp_path / "none", void=()).count("masks/a.png") == {"car": 6, "Void": 6, "background": 36}


def test_background_has_another_name_or_is_left_out(export, tmp_path):
    write_coco(export)
    assert Imported(export, tmp_path / "named", background="Rest").names == ["Rest", "car"]
    imported = Imported(export, tmp_path / "none", background=None)
    assert imported.count("masks/a.png") == {"car": 6, "ignored": 42}
    assert any("only one class" in note for note in imported.report.notes)


def test_a_background_of_the_export_is_not_added_again(export, do_import):
    write_coco(export, categories=[{"id": 1, "name": "car"}, {"id": 2, "name": "_Background_"}])
    imported = do_import()
    assert imported.names == ["car", "_Background_"]
    assert imported.count("masks/a.png") == {"car": 6, "_Background_": 42}


def test_classes_in_an_order_of_ones_own(export, tmp_path, do_import):
    write_coco(export, categories=[{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}, {"id": 3, "name": "van"}])
    write_text(tmp_path / "classes.txt", "van\nbackground\nbus\n")
    imported = do_import(classes=tmp_path / "classes.txt")
    assert imported.names == ["van", "background", "bus"]
    assert imported.report.ignored == {"car": 6}


def test_more_classes_than_8_bits_hold(export, do_import):
    write_coco(export, categories=[{"id": each, "name": f"class {each}"} for each in range(255)])
    with pytest.raises(InvalidDatasetError, match="256 classes"):
        do_import()


def test_names_that_would_leave_the_folder_or_meet(export, do_import):
    names = ("../../up.jpg", "/abs/root.jpg", ".hidden.jpg", "B.jpg", "b.png")
    write_coco(export, names[3:])
    document = json.loads((export / "a.json").read_text())
    document["images"] += [
        {"id": 10 + each, "file_name": name, "height": 6, "width": 8} for each, name in enumerate(names[:3])
    ]
    document["annotations"] += [{**document["annotations"][0], "image_id": 10 + each} for each in range(3)]
    write_json(export / "a.json", document)
    for name in ("up.jpg", "root.jpg"):
        write_picture(export / "images" / name)
    imported = do_import()
    outside = [path for path in export.parent.iterdir() if path.name not in ("export", "output")]
    assert outside == []
    assert len({path.casefold() for path in imported.masks}) == len(imported.masks) == 4


def test_the_folder_is_the_source_folder_that_everything_reads(export, do_import, tmp_path):
    write_coco(export)
    do_import()
    assert sorted(path.relative_to(tmp_path / "output").as_posix() for path in (tmp_path / "output").rglob("*.*")) == [
        "classes.json",
        "images/a.jpg",
        "masks/a.png",
    ]
    (report,) = check_source(SOURCES["folder"], tmp_path / "output").values()
    assert report.problems == ()
    assert report.label_set.names == ("background", "car")


def test_pictures_keep_their_bytes_and_other_formats_become_png(export, do_import, tmp_path):
    write_coco(export, ("a.jpg", "b.gif", "c.jfif"))
    (export / "images/c.jfif").write_bytes((export / "images/a.jpg").read_bytes())
    do_import()
    images = tmp_path / "output/images"
    (same,) = images.glob("c.*")  # under a suffix that the reader knows
    assert (images / "a.jpg").read_bytes() == (export / "images/a.jpg").read_bytes() == same.read_bytes()
    with Image.open(images / "b.png") as image:
        assert image.format == "PNG"


@pytest.mark.parametrize("name", ["a.jpg", "b.jpg"])
def test_broken_pictures_are_named_and_the_others_kept(name, export, do_import):
    write_coco(export, ("a.jpg", "b.jpg"))
    (export / "images" / name).write_bytes((export / "images" / name).read_bytes()[:150])
    imported = do_import()
    assert len(imported.masks) == 1
    assert imported.report.problems[0].startswith(f"images/{name} cannot be read as a picture")


def test_archives_are_read_in_place(export, tmp_path):
    write_coco(export / "inner")
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in export.rglob("*.*"):
            archive.write(path, path.relative_to(export))
        archive.writestr("__MACOSX/._a.jpg", b"")
        archive.writestr("../evil.jpg", b"")
    imported = Imported(tmp_path / "export.zip", tmp_path / "output")
    assert imported.count("masks/a.png")["car"] == 6
    assert imported.report.without_label == []


def test_archives_that_unpack_to_too_much(export, tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "MAX_ARCHIVE_BYTES", 100)
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", "0" * 101)
    with pytest.raises(InvalidDatasetError, match="unpacks to more than"):
        import_labels(tmp_path / "export.zip", tmp_path / "output")


def test_a_file_that_is_no_archive(tmp_path):
    write_text(tmp_path / "a.json", "{}")
    with pytest.raises(InvalidDatasetError, match="not a zip archive"):
        import_labels(tmp_path / "a.json", tmp_path / "output")


def test_no_such_export(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no"):
        import_labels(tmp_path / "missing", tmp_path / "output")


def test_no_such_format(export, tmp_path):
    with pytest.raises(ValueError, match="there is no format 'cvat'"):
        import_labels(export, tmp_path / "output", "cvat")


def test_what_is_there_is_not_replaced_unasked(export, tmp_path, do_import):
    write_coco(export)
    write_text(tmp_path / "output/mine.txt", "mine")
    with pytest.raises(FileExistsError):
        do_import()
    assert (tmp_path / "output/mine.txt").is_file()
    import_labels(export, tmp_path / "output", overwrite=True)
    assert not (tmp_path / "output/mine.txt").exists()


@pytest.mark.parametrize("where", [".", ".."])
def test_the_export_itself_is_never_replaced(where, export):
    write_coco(export)
    with pytest.raises(ValueError, match="which is to be read"):
        import_labels(export, export / where, overwrite=True)
    assert (export / "a.json").is_file()


def test_an_interrupted_import_leaves_nothing(export, tmp_path, monkeypatch, do_import):
    write_coco(export)
    monkeypatch.setattr(importing, "write_classes", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        do_import()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_labels_of_no_class_are_left_out_and_named(export, do_import):
    write_array(export / "masks/a.png", [[0, 1]])
    write_array(export / "masks/b.png", [[255, 255]])
    for name in "ab":
        write_picture(export / f"images/{name}.jpg", (1, 2))
    imported = do_import()
    assert imported.report.without_class == ["masks/b.png"]
    assert list(imported.masks) == ["masks/a.png"]


def test_nothing_that_can_be_used(export, do_import):
    write_coco(export)
    (export / "images/a.jpg").write_bytes(b"")
    with pytest.raises(InvalidDatasetError, match="No label of the export can be used"):
        do_import()


def test_two_exports_of_one_format(export, do_import):
    for name in ("one", "two"):
        write_text(
            export / name / "annotations.xml", '<annotations><image name="a.jpg" width="1" height="1"/></annotations>'
        )
    with pytest.raises(InvalidDatasetError, match=r"2 exports .*one/annotations.xml, two/annotations.xml"):
        do_import()


def test_another_subset_than_a_split_becomes_a_folder(export, do_import):
    write_text(
        export / "annotations.xml",
        "<annotations>"
        + "".join(
            f'<image name="a.jpg" subset="{subset}" width="8" height="6"><box label="{subset}" xtl="0" ytl="0" xbr="1" '
            'ybr="1"/></image>'
            for subset in ("Train", "site A")
        )
        + "</annotations>",
    )
    for subset in ("Train", "site A"):
        write_picture(export / "images" / subset / "a.jpg")
    imported = do_import()
    assert sorted(imported.masks) == ["train/masks/a.png", "train/masks/site A/a.png"]
    assert any("site A" in note for note in imported.report.notes)


def test_reports_are_json(export, do_import):
    write_coco(export)
    content = json.loads(json.dumps(do_import().report.to_dict()))
    assert content["format"] in FORMATS
    assert content["splits"]["all"]["classes"][1] == {"name": "car", "pixels": 6, "images": 1, "covered_pixels": 0}


def test_options_have_the_defaults_of_the_tools():
    options = ImportOptions()
    assert options.is_void("Don't-Care")
    assert options.is_background("_background_")
    assert not options.is_void("avoid")


def test_pixels_are_counted(export, do_import):
    write_coco(export, ("a.jpg", "b.jpg"))
    imported = do_import()
    counts = imported.report.splits["all"]
    np.testing.assert_array_equal(counts.pixels[[0, 1, 255]], [72, 12, 12])
    assert imported.report.pixels == {"background": 72, "car": 12, "ignored": 12}


@pytest.mark.parametrize("options", [{"polygon_rule": "cv2"}, {"overlap": "z"}, {"crowd": "x"}, {"alpha_threshold": 0}])
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        ImportOptions(**options)


def test_an_earlier_output_inside_the_export_is_left_out(export):
    write_coco(export)
    import_labels(export, export / "output")
    report = import_labels(export, export / "output", overwrite=True)
    assert report.without_label == []
    assert report.pixels["car"] == 6


def test_archives_with_backslashes(export, tmp_path):
    write_coco(export)
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in export.rglob("*.*"):
            archive.write(path, "inner\\" + str(path.relative_to(export)).replace("/", "\\"))
    assert Imported(tmp_path / "export.zip", tmp_path / "output").count("masks/a.png")["car"] == 6


def test_names_as_in_urls(export, do_import):
    write_coco(export, ("a%20b.jpg",))
    (export / "images/a%20b.jpg").rename(export / "images/a b.jpg")
    assert do_import().report.without_picture == []


def test_regions_that_cover_no_pixel_are_named(export, do_import):
    write_coco(export)
    document = json.loads((export / "a.json").read_text())
    document["annotations"].append({"image_id": 0, "category_id": 1, "segmentation": [[90, 90, 95, 90, 95, 95]]})
    write_json(export / "a.json", document)
    assert do_import().report.blank_regions == ["car in a.jpg in a.json"]


def test_links_to_folders_are_followed_but_not_in_circles(export, tmp_path, do_import):
    write_json(export / "a.json", {**SHAPES, "imagePath": "../images/a.jpg"})
    write_picture(tmp_path / "elsewhere/a.jpg")
    (export / "images").symlink_to(tmp_path / "elsewhere")
    (export / "loop").symlink_to(export)
    imported = do_import()
    assert list(imported.masks) == ["masks/a.png"]
    assert not imported.report.without_picture


def test_several_labels_of_one_picture_are_named(export, do_import):
    for name in ("a", "b"):
        write_json(export / f"{name}.json", {**SHAPES, "imagePath": "a.jpg"})
    write_picture(export / "a.jpg")
    imported = do_import()
    assert list(imported.masks) == ["masks/a.png", "masks/b.png"]
    [note] = [note for note in imported.report.notes if "several labels" in note]
    assert note.startswith("a.jpg has several labels, and each is written with a copy of it: a.json, b.json;")


def test_a_broken_file_is_named_where_nothing_is_found(export, do_import):
    write_text(export / "a.json", '{"shapes": [], "label": "\u00e4"}', "latin-1")
    with pytest.raises(InvalidDatasetError, match=r"holds no export (.|\n)*a\.json is not UTF-8 text"):
        do_import()


def test_a_single_file_of_an_export(export):
    write_coco(export)
    with pytest.raises(InvalidDatasetError, match="name the folder that it is in"):
        import_labels(export / "a.json", export.parent / "output")


def test_folders_that_cannot_be_opened_are_named(export, monkeypatch, do_import):
    write_coco(export)
    (export / "locked").mkdir()
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert "locked cannot be read (Permission denied)" in do_import().report.problems[0]


def test_names_that_lead_out_of_an_archive_are_named(export, tmp_path):
    write_coco(export)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a.json", "images/a.jpg"):
            archive.write(export / name, name)
        archive.writestr("../images/b.jpg", b"")
    [problem] = Imported(tmp_path / "a.zip", tmp_path / "output").report.problems
    assert problem == "../images/b.jpg would lie outside the archive and is not read; archive the folder anew."
