"""The one reader of JSON."""

from __future__ import annotations

import ast
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_segformer
import syntax_trees
from keras_segformer import json_text
from keras_segformer.json_text import MAX_DEPTH, parse_json, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('[]{}"\\aé\n')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('[{"\\a')), inner, max_size=3),
    max_leaves=8,
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans(), st.integers(1, 9))
def test_the_depth_is_that_of_the_value(value, ascii_only, chunk):
    text = json.dumps(value, ensure_ascii=ascii_only)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_CHUNK", chunk)
        assert json_text._depth(text.encode()) == depth(value)
    assert parse_json(text) == parse_json(text.encode()) == value


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 100_000])
def test_deep_nesting_is_refused(opening, levels):
    with pytest.raises(ValueError, match=f"nested more than {MAX_DEPTH} levels"):
        parse_json(opening * levels)


def test_the_deepest_that_is_allowed():
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)


@pytest.mark.parametrize("text", ["", "{", "[1,]", b"\xff", '"' + "[" * 9, "[" * 3 + '"\\'])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 (the parser's own message)
        parse_json(text)


def test_large_files_are_refused_before_they_are_read(tmp_path, monkeypatch):
    path = tmp_path / "large.json"
    path.write_text("[" + " " * 2_000_000 + "]")
    assert read_json(path) == []
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read"))
    with pytest.raises(ValueError, match="it has 2 MB, and 1 MB are allowed"):
        read_json(path, max_bytes=1_000_000)


def test_members_of_archives_and_byte_order_marks(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("classes.json", b'\xef\xbb\xbf{"a": 1}')
    file = zipfile.Path(tmp_path / "a.zip") / "classes.json"
    assert read_json(file) == {"a": 1}
    with pytest.raises(ValueError, match="are allowed"):
        read_json(file, max_bytes=3)


def parses_json(file: Path) -> bool:
    nodes = ast.walk(syntax_trees.parse(file.read_text("utf-8")))
    names = {f"{node.value.id}.{node.attr}" for node in nodes if isinstance(node, ast.Attribute) and _is_name(node)}
    return bool(names & {"json.load", "json.loads"})


def _is_name(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name)


def test_nothing_else_of_the_package_parses_json():
    """But for scripts that are run without the package, and parse what the package wrote."""
    folder = Path(keras_segformer.__file__).parent
    sources = [*folder.rglob("*.py"), *(folder.parent / "conversion").rglob("*.py")]
    calls = {file.relative_to(folder.parent).as_posix() for file in sources if parses_json(file)}
    scripts = {
        "keras_segformer/runtime/messages.py",
        "keras_segformer/presets/hub_download.py",
        "conversion/benchmark/profile.py",
    }
    assert calls - scripts == {"keras_segformer/json_text.py"}
