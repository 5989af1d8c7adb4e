"""Progress bars do not warn in notebooks that lack the widgets for them."""

from __future__ import annotations

import importlib.util

import pytest
import rich.console
from rich.progress import track

from keras_segformer.progress_console import progress_console


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)


def without_widgets(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ipywidgets" else real(name))


@pytest.mark.usefixtures("notebook")
def test_a_notebook_without_widgets_gets_a_line(monkeypatch, capsys):
    without_widgets(monkeypatch)
    console = progress_console()
    assert not console.is_jupyter
    assert list(track([1, 2], "Checking", console=console)) == [1, 2]  # a warning is an error here
    assert "Checking" in capsys.readouterr().err


@pytest.mark.usefixtures("notebook")
def test_a_notebook_with_widgets_gets_a_bar(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert progress_console().is_jupyter
