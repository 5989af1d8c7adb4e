"""Supervisely's projects."""

from __future__ import annotations

import base64
import io
import zlib

import numpy as np
import pytest
from PIL import Image

from fake_exports import write_json, write_picture

CLASSES = [{"title": "car", "color": "#ff0000", "id": 11}, {"title": "größer/kleiner", "color": "#00FF00", "id": 12}]


def polygon(exterior, interior=(), label="car"):
    points = {"exterior": exterior, "interior": list(interior)}
    return {"classTitle": label, "geometryType": "polygon", "points": points}


def bitmap(image, origin, packed=True, key="bitmap", **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    data = zlib.compress(buffer.getvalue()) if packed else buffer.getvalue()
    return {"classTitle": "car", "geometryType": key, key: {"origin": origin, "data": base64.b64encode(data).decode()}}


def write(export, *objects, dataset="ds", encoding="utf-8"):
    write_json(export / "meta.json", {"classes": CLASSES, "tags": []})
    write_json(
        export / dataset / "ann/a.jpg.json", {"size": {"height": 6, "width": 8}, "objects": list(objects)}, encoding
    )
    write_picture(export / dataset / "img/a.jpg")


def test_polygons_have_holes_with_their_outline(export, do_import):
    write(export, polygon([[0, 0], [6, 0], [6, 5], [0, 5]], [[[2, 2], [4, 2], [4, 3], [2, 3]]]), encoding="utf-8-sig")
    expected = np.zeros((6, 8), bool)
    expected[:, :7] = True
    expected[2:4, 2:5] = False
    np.testing.assert_array_equal(do_import().where("masks/a.png", "car"), expected)


def test_rectangles_hold_both_corners(export, do_import):
    rectangle = {
        "classTitle": "car",
        "geometryType": "rectangle",
        "points": {"exterior": [[5, 4], [2, 1]], "interior": []},
    }
    write(export, rectangle)
    assert do_import().where("masks/a.png", "car").sum() == 16


RING = np.array([[1, 1, 1], [1, 0, 1]], bool)


def rgba():
    alpha = np.where(RING, 255, 0).astype(np.uint8)
    return Image.fromarray(np.dstack([alpha, alpha, alpha, alpha]))


def palette():
    image = Image.fromarray(RING.astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 255, 255])
    return image


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("image", "options"),
    [
        (rgba(), {}),
        (palette(), {"transparency": 0, "bits": 1}),
        (Image.fromarray(RING), {}),
        (palette().convert("L"), {}),
    ],
    ids=["rgba", "palette", "one bit", "grey"],
)
def test_bitmaps_of_every_kind(image, options, packed, export, do_import):
    write(export, bitmap(image, [2, 3], packed, **options))
    where = do_import().where("masks/a.png", "car")
    assert np.argwhere(where).tolist() == (np.argwhere(RING) + np.array([3, 2])).tolist()


def test_alpha_masks_count_from_half(export, do_import):
    alpha = np.array([[0, 127, 128, 255]], np.uint8)
    write(export, bitmap(Image.fromarray(np.dstack([alpha] * 4)), [0, 0], key="alpha_mask"))
    assert do_import().where("masks/a.png", "car").sum() == 2


def test_bitmaps_are_cut_at_the_border(export, do_import):
    write(export, bitmap(rgba(), [-1, 5]))
    assert np.argwhere(do_import().where("masks/a.png", "car")).tolist() == [[5, 0], [5, 1]]


def test_later_objects_lie_on_top_and_lines_are_not_drawn(export, do_import):
    line = {"classTitle": "car", "geometryType": "line", "points": {"exterior": [[0, 0], [7, 5]], "interior": []}}
    square = [[0, 0], [3, 0], [3, 3], [0, 3]]
    write(export, polygon(square), polygon([[0, 0], [1, 0], [1, 1], [0, 1]], label="größer/kleiner"), line)
    imported = do_import()
    assert imported.count("masks/a.png") == {"car": 12, "größer/kleiner": 4, "background": 32}
    assert imported.report.skipped == {"line": 1}
    assert imported.report.label_set.palette == ((0, 0, 0), (255, 0, 0), (0, 255, 0))


def test_nested_data_sets_keep_pictures_of_one_name_apart(export, do_import):
    for dataset in ("train/datasets/day", "train/datasets/night", "val"):
        write(export, polygon([[0, 0], [1, 0], [1, 1]]), dataset=dataset)
    assert sorted(do_import().masks) == ["train/masks/day/a.png", "train/masks/night/a.png", "val/masks/a.png"]


def test_broken_objects_and_empty_labels(export, do_import):
    broken = {"classTitle": "car", "geometryType": "bitmap", "bitmap": {"origin": [0, 0], "data": "AAAA"}}
    unknown = polygon([[0, 0], [1, 0], [1, 1], [0, 1]], label="bus")
    write(export, broken, unknown)
    report = do_import().report
    assert "neither PNG nor zlib" in report.problems[0]
    assert report.unknown == {"bus": 4}
