"""Where figures may be written."""

from __future__ import annotations

import sys

import pytest

from keras_segformer.errors import MissingExtraError
from keras_segformer.figures import check_figure_path


def test_paths_are_checked_before_the_work(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    check_figure_path(tmp_path / "a.PNG")
    check_figure_path(tmp_path / "folder" / "a.svg")
    with pytest.raises(ValueError, match=r"end in .png, .pdf or .svg"):
        check_figure_path(tmp_path / "a.docx")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        check_figure_path(tmp_path / "b.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'keras-segformer\[figures\]'"):
        check_figure_path(tmp_path / "a.png")
