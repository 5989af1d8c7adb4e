"""`keras-segformer data import` and `data classes`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fake_exports import write_array, write_picture, write_text
from keras_segformer.cli import main
from keras_segformer.cli.parsers import data_import
from keras_segformer.data.importers import FORMATS

LONG = "a class whose name is longer than any terminal is wide, and which is not to be cut off all the same: ümläut/§"


@pytest.fixture(autouse=True)
def chosen_log_level(monkeypatch):
    """Keras is imported already; the program must not set the variable for the tests behind this one."""
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of CVAT with every kind of oddity that is reported."""
    folder = tmp_path / "export"
    write_text(
        folder / "annotations.xml",
        "<annotations><meta><task><labels><label><name>car</name></label><label><name>void</name></label></labels></task>"
        f'</meta><image name="a.jpg" width="8" height="6"><box label="car" xtl="0" ytl="0" xbr="4" ybr="6"/>'
        f'<box label="{LONG}" xtl="0" ytl="0" xbr="1" ybr="6"/><box label="void" xtl="7" ytl="0" xbr="8" ybr="6"/>'
        '<box label="" xtl="6" ytl="0" xbr="7" ybr="6"/><points label="car" points="1,1"/></image>'
        '<image name="b.jpg" width="8" height="6"/><image name="lost.jpg" width="8" height="6"/></annotations>',
    )
    for name in ("a", "b", "alone"):
        write_picture(folder / f"images/{name}.jpg")
    return folder


def data(*arguments: object) -> int:
    return main(["data", *map(str, arguments)])


def test_import_says_everything(export, tmp_path, capsys):
    output = tmp_path / "output"
    assert data("import", export, "--output", output, "--json", tmp_path / "report.json") == 0
    printed = capsys.readouterr().out
    for part in (
        'Format: "CVAT for images 1.1" (cvat-images)',
        "by the rule 'coco'",
        "ascending z_order",
        LONG,
        "Overlaps: 6 pixels",
        "(no label): 6 pixels in a.jpg in annotations.xml",
        "void: 6 pixels",
        "points: 1",
        "Labels without a region, all background:\n  - b.jpg in annotations.xml",
        "Pictures without label, left out:\n  - images/alone.jpg",
        "Labels without picture, left out:\n  - lost.jpg in annotations.xml",
        "Wrote 2 masks and 3 classes",
    ):
        assert part in printed
    row = next(line for line in printed.splitlines() if " car " in line)
    assert row.split() == ["1", "car", "18", "18.75%", "1", "6"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["overlap_pixels"] == 6
    assert data("check", "folder", "--data", output) == 0


def test_problems_are_errors_but_the_rest_is_written(export, tmp_path, capsys):
    (export / "images/b.jpg").write_bytes(b"broken")
    assert data("import", export, "--output", tmp_path / "output") == 1
    captured = capsys.readouterr()
    assert "error: images/b.jpg cannot be read as a picture" in captured.err
    assert "Wrote 1 masks" in captured.out


def test_options(export, tmp_path):
    options = ("--void", "car", "--background", "Boden", "--polygon-rule", "pil", "--format", "cvat-images")
    assert data("import", export, "--output", tmp_path / "output", *options) == 0
    assert json.loads((tmp_path / "output/classes.json").read_text())["names"] == ["Boden", "void", LONG]


@pytest.mark.parametrize("options", [("--void", "none"), ("--background", "none"), ("--unlabelled", "ignore")])
def test_nothing_is_void_or_background(options, export, tmp_path):
    assert data("import", export, "--output", tmp_path / "output", *options) == 0
    names = json.loads((tmp_path / "output/classes.json").read_text())["names"]
    assert ("void" in names) == (options[0] == "--void")
    assert ("background" in names) == (options[0] == "--void")


def test_an_output_that_is_occupied(export, tmp_path, capsys):
    write_text(tmp_path / "output/mine.txt", "")
    assert data("import", export, "--output", tmp_path / "output") == 2
    assert "--overwrite" in capsys.readouterr().err
    assert data("import", export, "--output", tmp_path / "output", "--overwrite") == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--format", "cvat"),
        ("--alpha-threshold", "0"),
        ("--alpha-threshold", "x"),
        ("--crowd", "maybe"),
        ("--overlap", "z"),
    ],
)
def test_wrong_values_are_named(options, export, tmp_path, capsys):
    with pytest.raises(SystemExit) as error:
        data("import", export, "--output", tmp_path / "output", *options)
    assert error.value.code == 2
    assert options[0] in capsys.readouterr().err


def test_the_program_names_the_formats_that_there_are():
    assert tuple(FORMATS) == data_import.FORMATS


def test_classes(tmp_path, capsys):
    write_array(tmp_path / "masks/a.png", [[3, 3, 9, 255]])
    assert data("classes", tmp_path) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["0", "class", "3", "3", "2", "1"] in rows
    assert ["ignored", "255", "1", "1"] in rows
    assert data("classes", tmp_path) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_classes_of_masks_of_two_scales(tmp_path, capsys):
    write_array(tmp_path / "masks/a.png", [[0, 1]])
    write_array(tmp_path / "masks/b.png", [[0, 255]])
    assert data("classes", tmp_path) == 0
    assert (
        "warning: Some masks hold 1 but no 255 (1), and others 255 but no 1 (1); 255 is ignored"
        in capsys.readouterr().out
    )


def test_classes_of_a_broken_mask(tmp_path, capsys):
    write_array(tmp_path / "masks/a.png", [[0, 1]])
    write_text(tmp_path / "masks/b.png", "broken")
    assert data("classes", tmp_path) == 1
    assert "error: masks/b.png cannot be read" in capsys.readouterr().err
