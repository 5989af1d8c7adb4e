"""Every error message of the package is listed with its remedy."""

from __future__ import annotations

import textwrap

import pytest

import error_messages
from error_messages import FOLDER_REMEDIES, REMEDIES, Message, by_area, collect, table
from keras_segformer import errors

MESSAGES = collect()


def collected(tmp_path, monkeypatch, code: str) -> list[Message]:
    """The messages of a package that holds nothing but this code."""
    (tmp_path / "keras_segformer").mkdir()
    (tmp_path / "keras_segformer/module.py").write_text(textwrap.dedent(code))
    monkeypatch.setattr(error_messages, "ROOT", tmp_path)
    return collect()


def test_every_message_has_a_remedy():
    # For a new one, end the message in "; REMEDY." or add it to the module.
    assert [message for message in MESSAGES if not message.remedy] == []


def test_every_exception_of_the_package_is_there():
    assert set(errors.__all__) <= {message.error for message in MESSAGES}


def test_no_remedy_is_left_over():
    causes = {message.cause for message in MESSAGES}
    assert REMEDIES.keys() - causes == set()
    paths = [message.path for message in MESSAGES]
    assert [start for start in FOLDER_REMEDIES if not any(path.startswith(start) for path in paths)] == []


def test_every_message_is_in_one_table():
    areas = by_area(MESSAGES)
    assert sum(map(len, areas.values())) == len(MESSAGES)
    assert all(areas.values())
    rows = [line for line in table(MESSAGES).splitlines() if line.startswith("| ") and not line.startswith("| message")]
    assert len(rows) == len(MESSAGES)
    assert all(row.count("|") == 4 for row in rows)


def test_parts_that_differ_are_gaps(tmp_path, monkeypatch):
    code = """
        def work(path, size):
            raise ValueError(f"{path!r} holds {size:,} bytes, " + "too many"
                             "; split it.")
    """
    [message] = collected(tmp_path, monkeypatch, code)
    assert message == Message("ValueError", "… holds … bytes, too many", "Split it.", "keras_segformer/module.py")


@pytest.mark.parametrize(
    ("text", "cause", "remedy"),
    [
        ("a; b; do c", "a; b", "Do c."),
        ("`x` must be 1; got 2", "`x` must be 1; got 2", "Give a value that the message allows."),
        ("x must be 1; got 2: add 1", "x must be 1; got 2", "Add 1."),
        ("There is none. Make one", "There is none", "Make one."),
        ("It is broken", "It is broken", ""),
    ],
)
def test_cause_and_remedy(tmp_path, monkeypatch, text, cause, remedy):
    [message] = collected(tmp_path, monkeypatch, f"raise ValueError({text!r})")
    assert (message.cause, message.remedy) == (cause, remedy)


def test_messages_for_the_package_itself_are_left_out(tmp_path, monkeypatch):
    code = """
        raise EOFError("the pipe ends")
        raise _RefusedError("x")
        raise ValueError(str(error))
        raise error
    """
    assert collected(tmp_path, monkeypatch, code) == []
