"""CVAT for images 1.1."""

from __future__ import annotations

import numpy as np
import pytest

from fake_exports import write_picture, write_text
from keras_segformer.errors import InvalidDatasetError

META = """<meta><task><labels>
<label><name>car</name><color>#ff0000</color><type>any</type></label>
<label><name>tv/Bildschirm größer</name><color>#00ff00</color></label>
<label><name>ignore</name><color>#0000ff</color></label>
<label><name>pose</name><type>skeleton</type></label>
<label><name>crate</name><type>cuboid</type></label>
<label><name>knee</name><type>points</type><parent>pose</parent></label>
</labels></task></meta>"""


def write(export, shapes, *, width=8, height=6, name="a.jpg", meta=META):
    write_text(
        export / "annotations.xml",
        f'<?xml version="1.0"?><annotations><version>1.1</version>{meta}'
        f'<image id="0" name="{name}" width="{width}" height="{height}">{shapes}</image></annotations>',
    )
    write_picture(export / "images" / name, (height, width))


def test_boxes_ellipses_and_their_rotation(export, do_import):
    # A box of 8x2 turned by 90 degrees about its centre stands upright.
    write(export, '<box label="car" xtl="1" ytl="4" xbr="9" ybr="6" rotation="90" z_order="0"/>', width=10, height=10)
    mask = do_import().where("masks/a.png", "car")
    expected = np.zeros((10, 10), bool)
    expected[1:9, 4:6] = True
    np.testing.assert_array_equal(mask, expected)


def test_a_rotation_is_clockwise(export, do_import):
    write(export, '<box label="car" xtl="20" ytl="45" xbr="80" ybr="55" rotation="30"/>', width=100, height=100)
    mask = do_import().where("masks/a.png", "car")
    assert mask[60, 67]  # right of the centre and below
    assert not mask[40, 67]


def test_an_ellipse_is_as_large_as_it_should_be(export, do_import):
    write(export, '<ellipse label="car" cx="50" cy="40" rx="30" ry="10" rotation="90"/>', width=100, height=100)
    mask = do_import().where("masks/a.png", "car")
    assert abs(mask.sum() - np.pi * 300) < 10
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 69, 40, 59)


def test_a_mask_runs_along_the_rows_of_its_box(export, do_import):
    write(export, '<mask label="car" rle="0, 2, 3, 1" left="5" top="1" width="3" height="2"/>')
    mask = do_import().where("masks/a.png", "car")
    assert np.argwhere(mask).tolist() == [[1, 5], [1, 6], [2, 7]]


def test_z_order_decides_and_ties_keep_the_order_of_the_file(export, do_import):
    write(
        export,
        '<box label="car" xtl="0" ytl="0" xbr="4" ybr="6" z_order="5"/>'
        '<box label="tv/Bildschirm größer" xtl="0" ytl="0" xbr="8" ybr="6" z_order="-1"/>'
        '<box label="ignore" xtl="0" ytl="0" xbr="2" ybr="6" z_order="5"/>',
    )
    imported = do_import()
    assert imported.count("masks/a.png") == {"car": 12, "tv/Bildschirm größer": 24, "ignored": 12}
    assert imported.names == ["background", "car", "tv/Bildschirm größer"]
    assert imported.report.label_set.palette[1] == (255, 0, 0)
    assert imported.report.ignored_labels == ["ignore"]
    assert imported.report.overlap == 24


def test_what_has_no_area_is_counted(export, do_import):
    write(export, '<polyline label="car" points="0,0;5,5"/><points label="car" points="1,1"/><tag label="car"/>')
    report = do_import().report
    assert report.skipped == {"polyline": 1, "points": 1, "tag": 1}
    assert report.empty == ["a.jpg in annotations.xml"]
    assert "'crate', 'knee', 'pose'" in report.notes[0]
    assert report.problems == [
        "No shape of the export is drawn (polyline, points, tag), so that all masks are background alone; export "
        "polygons or masks."
    ]


def test_skipped_shapes_beside_drawn_ones_are_no_problem(export, do_import):
    write(export, '<polyline label="car" points="0,0;5,5"/><box label="car" xtl="0" ytl="0" xbr="1" ybr="1"/>')
    report = do_import().report
    assert (report.skipped, report.problems) == ({"polyline": 1}, [])


def test_labels_that_meta_does_not_list_are_added_and_named(export, do_import):
    write(export, '<box label="new" xtl="0" ytl="0" xbr="1" ybr="1"/>')
    imported = do_import()
    assert imported.names == ["background", "car", "tv/Bildschirm größer", "new"]
    assert any("'new'" in note for note in imported.report.notes)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ('<polygon label="car" points="0,0;1"/>', "not pairs of numbers"),
        ('<polygon label="car" points="0,0;1,1"/>', "has 2 corners"),
        ('<mask label="car" rle="1,2" left="0" top="0" width="3" height="3"/>', "3 pixels instead of 9"),
        ('<mask label="car" rle="1,2" left="0" top="0" width="99999999" height="99999999"/>', "a size of"),
        ('<box label="car" xtl="0" ytl="0" xbr="nan" ybr="1"/>', "finite"),
        ('<box label="car" xtl="0" ytl="0" ybr="1"/>', "has no number"),
    ],
)
def test_broken_shapes_are_named_and_the_others_kept(shape, why, export, do_import):
    write(export, shape + '<box label="car" xtl="0" ytl="0" xbr="1" ybr="1"/>')
    imported = do_import()
    assert imported.count("masks/a.png")["car"] == 1
    assert len(imported.report.problems) == 1
    assert why in imported.report.problems[0]
    assert imported.report.problems[0].startswith("a.jpg in annotations.xml")


def test_polygons_beyond_the_picture_are_cut(export, do_import):
    write(export, '<polygon label="car" points="-5,-5;1e7,-5;1e7,3;-5,3"/>')
    assert do_import().count("masks/a.png") == {"car": 24, "background": 24}


def test_videos_are_refused(export, do_import):
    write_text(
        export / "annotations.xml",
        '<annotations><meta><task><mode>interpolation</mode></task></meta><track id="0" label="car">'
        '<box frame="0" outside="0" xtl="0" ytl="0" xbr="1" ybr="1"/></track></annotations>',
    )
    with pytest.raises(InvalidDatasetError, match="CVAT for video"):
        do_import()


def test_entities_are_refused(export, do_import):
    write_text(export / "annotations.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>')
    with pytest.raises(InvalidDatasetError, match="document type"):
        do_import()


def test_a_picture_without_shapes_is_all_background(export, do_import):
    write(export, "")
    assert do_import().count("masks/a.png") == {"background": 48}


def test_a_size_that_is_not_that_of_the_picture_is_named(export, do_import):
    write(export, "", width=8)
    write_picture(export / "images/a.jpg", (6, 9))
    with pytest.raises(InvalidDatasetError, match=r"a\.jpg in annotations\.xml is 8x6 pixels, but its picture has 9x6"):
        do_import()
