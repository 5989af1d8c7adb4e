"""Tables at a terminal and behind a pipe."""

from __future__ import annotations

import io

import pytest

from keras_segformer.cli.tables import make_console, make_table

NAME = "a name that is longer than the eighty columns which terminals without a size are said to have, or even two"


@pytest.fixture
def table():
    made = make_table("Name", "Share", "Source", text=("Source",))
    made.add_row(NAME, "1 %", "hub")
    return made


def test_a_pipe_gets_whole_rows(table):
    file = io.StringIO()
    make_console(file=file).print(table)
    [row] = [line for line in file.getvalue().splitlines() if NAME in line]
    assert len(row) < 2 * len(NAME)


def test_a_terminal_gets_whole_names(table):
    file = io.StringIO()
    make_console(file=file, force_terminal=True, width=40, color_system=None).print(table)
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert "…" not in file.getvalue()
    assert all(word in file.getvalue() for word in NAME.split())


def test_numbers_are_set_right(table):
    assert [column.justify for column in table.columns] == ["left", "right", "left"]


@pytest.mark.parametrize("options", [{}, {"force_terminal": True, "width": 40, "color_system": None}])
def test_titles_are_whole(options):
    made = make_table("Part", "20%", title=f"runs/[one]/{NAME}")
    made.add_row("head", "64")
    file = io.StringIO()
    make_console(file=file, **options).print(made)
    assert f"runs/[one]/{NAME}".split() == file.getvalue().split("Part")[0].split()
