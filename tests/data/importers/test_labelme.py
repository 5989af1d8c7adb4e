"""labelme's JSON."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fake_exports import write_json, write_picture, write_text


def encoded(array) -> str:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def shape(label, points, kind="polygon", **values):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}, **values}


def write(export, *shapes, size=(20, 30), **values):
    document = {"version": "5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.jpg", "imageData": None}
    write_json(export / "a.json", {**document, "imageHeight": size[0], "imageWidth": size[1], **values})
    write_picture(export / "a.jpg", size)


def drawn(draw, size=(20, 30)):
    canvas = Image.new("L", size[::-1])
    draw(ImageDraw.Draw(canvas))
    return np.asarray(canvas, bool)


SHAPES = {
    "polygon": ([[2.5, 3], [15, 4.2], [9, 16]], lambda d: d.polygon([(2.5, 3), (15, 4.2), (9, 16)], 1, 1)),
    "rectangle": ([[12, 15], [3, 2]], lambda d: d.rectangle([3, 2, 12, 15], 1, 1)),
    "circle": ([[10, 10], [10, 15]], lambda d: d.ellipse([5, 5, 15, 15], 1, 1)),
    "line": ([[2, 10], [25, 10]], lambda d: d.line([(2, 10), (25, 10)], 1, 10)),
    "point": ([[10, 10]], lambda d: d.ellipse([5, 5, 15, 15], 1, 1)),
    "oriented_rectangle": (
        [[10, 2], [18, 10], [10, 18], [2, 10]],
        lambda d: d.polygon([(10, 2), (18, 10), (10, 18), (2, 10)], 1, 1),
    ),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_shapes_are_drawn_as_labelme_does(kind, export, do_import):
    points, draw = SHAPES[kind]
    write(export, shape("road", points, kind))
    np.testing.assert_array_equal(do_import().where("masks/a.png", "road"), drawn(draw))


def test_lines_can_be_skipped(export, do_import):
    write(export, shape("road", *SHAPES["line"][:1], "line"), shape("road", SHAPES["circle"][0], "circle"))
    imported = do_import(lines="skip")
    assert imported.report.skipped == {"line": 1}
    np.testing.assert_array_equal(imported.where("masks/a.png", "road"), drawn(SHAPES["circle"][1]))


@pytest.mark.parametrize("kind", [None, "missing"])
def test_shapes_without_a_type_are_polygons(kind, export, do_import):
    points, draw = SHAPES["polygon"]
    polygon = shape("road", points, kind)
    if kind == "missing":
        del polygon["shape_type"]
    write(export, polygon)
    np.testing.assert_array_equal(do_import().where("masks/a.png", "road"), drawn(draw))


def test_masks_keep_their_own_size_and_are_cut_at_the_border(export, do_import):
    mask = np.array([[True, False, True], [True, True, True]])
    # The corners have fractions, and the mask reaches one column beyond the picture.
    write(export, shape("road", [[27.6, 3.4], [30.9, 4.4]], "mask", mask=encoded(mask)))
    where = do_import().where("masks/a.png", "road")
    assert np.argwhere(where).tolist() == [[3, 28], [4, 28], [4, 29]]


def test_later_shapes_lie_on_top(export, do_import):
    write(
        export,
        shape("road", [[0, 0], [9, 9]], "rectangle", group_id=1),
        shape("tv/monitor", [[0, 0], [4, 4]], "rectangle"),
        shape("road", [[0, 0], [1, 1]], "rectangle", group_id=1),
    )
    assert do_import().count("masks/a.png") == {"road": 79, "tv/monitor": 21, "background": 500}


def test_labels_txt_orders_and_ignores(export, do_import):
    write_text(export / "labels.txt", "\ufeff__ignore__\r\n_background_\r\ntv/monitor\r\nroad\r\n")
    write(export, shape("road", [[0, 0], [9, 9]], "rectangle"), shape("__ignore__", [[0, 0], [4, 4]], "rectangle"))
    imported = do_import()
    assert imported.names == ["_background_", "tv/monitor", "road"]
    assert imported.count("masks/a.png") == {"road": 75, "ignored": 25, "_background_": 500}


def test_labels_that_labels_txt_does_not_list(export, do_import):
    write_text(export / "labels.txt", "_background_\ncar\n")
    write(export, shape("road", [[0, 0], [9, 9]], "rectangle"), shape("", [[0, 0], [0, 0]], "rectangle"))
    imported = do_import()
    assert imported.names == ["_background_", "car", "road"]
    assert any("road" in note for note in imported.report.notes)
    assert imported.report.unknown == {"": 1}


@pytest.mark.parametrize("path", ["..\\pictures\\b.jpg", "../pictures/b.jpg"])
def test_pictures_in_another_folder(path, export, do_import):
    write_json(
        export / "labels/a.json",
        {"shapes": [shape("road", [[0, 0], [1, 1]], "rectangle")], "imagePath": path, "imageData": None},
    )
    write_picture(export / "pictures/b.jpg", (5, 7))
    assert do_import().masks["masks/labels/a.png"].shape == (5, 7)


def test_a_wrong_path_falls_back_to_the_data_inside(export, do_import):
    inside = np.full((20, 30, 3), 99, np.uint8)
    write(export, shape("road", [[0, 0], [1, 1]], "rectangle"), imagePath="a.json", imageData=encoded(inside))
    do_import()
    with Image.open(export.parent / "output/images/a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), inside)


def test_a_wrong_path_falls_back_to_the_picture_of_the_same_name(export, do_import):
    write(export, shape("road", [[0, 0], [1, 1]], "rectangle"), imagePath="a.json")
    assert do_import().count("masks/a.png")["road"] == 4


def test_a_path_out_of_the_export_is_not_followed(export, do_import):
    write_picture(export.parent / "secret.jpg", (20, 30))
    write(export, shape("road", [[0, 0], [1, 1]], "rectangle"), imagePath="../secret.jpg")
    (export / "a.jpg").unlink()
    assert do_import().report.without_picture == ["a.json"]


def test_the_size_may_be_missing(export, do_import):
    write(export, shape("road", [[0, 0], [1, 1]], "rectangle"), imageHeight=None, imageWidth=None)
    assert do_import().masks["masks/a.png"].shape == (20, 30)


@pytest.mark.parametrize(
    "bad",
    [
        shape("road", [[0, 0], [1, 1]]),
        shape("road", [[0, "x"], [1, 1], [2, 2]]),
        shape("road", None),
        shape("road", [[0, 0]], "mask", mask="not base64!"),
        shape("road", [[0, 0]], "mask", mask=None),
        "shape",
    ],
)
def test_broken_shapes_are_named(bad, export, do_import):
    write(export, bad, shape("road", [[0, 0], [1, 1]], "rectangle"))
    imported = do_import()
    assert imported.count("masks/a.png")["road"] == 4
    assert len(imported.report.problems) == 1
    assert imported.report.problems[0].startswith("a.json has a ")


def test_files_named_after_their_picture_with_its_suffix(export, do_import):
    write(export, shape("car", [[1, 1], [3, 3]], "rectangle"))
    (export / "a.json").rename(export / "a.jpg.json")
    assert list(do_import().masks) == ["masks/a.png"]


def test_masks_far_away_have_no_pixel(export, do_import):
    mask = encoded(np.full((2, 3), 255, np.uint8))
    write(export, shape("far", [[1e300, -1e300]], "mask", mask=mask), shape("road", [[0, 0], [1, 1]], "rectangle"))
    assert do_import().report.blank_regions == ["far in a.json"]


def test_rotated_rectangles_of_x_anylabeling(export, do_import):
    points, draw = SHAPES["oriented_rectangle"]
    write(export, shape("ship", points, "rotation"))
    np.testing.assert_array_equal(do_import().where("masks/a.png", "ship"), drawn(draw))


def test_numbered_instances_are_of_their_class(export, do_import):
    write(export, *(shape(f"person-{left}", [[left, 1], [left + 1, 2]], "rectangle") for left in (1, 5)))
    write_text(export / "labels.txt", "__ignore__\n_background_\nperson\n")
    imported = do_import()
    assert (imported.names, imported.count("masks/a.png")["person"]) == (["_background_", "person"], 8)
    assert any("These number instances" in note and "person-1, person-5" in note for note in imported.report.notes)


def test_numbered_labels_stay_classes_without_a_list(export, do_import):
    write(export, *(shape(f"grade-{left}", [[left, 1], [left + 1, 2]], "rectangle") for left in (1, 5)))
    imported = do_import()
    assert imported.names == ["background", "grade-1", "grade-5"]
    assert any("end in a number and stay classes: grade-1, grade-5;" in note for note in imported.report.notes)
