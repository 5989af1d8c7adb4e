"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import textwrap
from pathlib import Path

import pytest

import keras_segformer
import keras_segformer.conversion

PACKAGES = (keras_segformer, keras_segformer.conversion)
MODULES = sorted(
    {
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda _: None)
    }
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(name: str) -> list[doctest.DocTest]:
    """The docstrings of a module that hold examples."""
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    return [each for each in found if each.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    for each in examples(name):
        runner.run(each, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_blocks_of_python_compile():
    for name in MODULES:
        source = Path(importlib.import_module(name).__file__).read_text(encoding="utf-8")
        for block in re.findall(r"^ *```python\n(.*?)^ *```$", source, re.M | re.S):
            compile(textwrap.dedent(block), name, "exec")


def test_examples_are_found():
    assert sum(len(each.examples) for name in MODULES for each in examples(name)) > 200


def test_a_wrong_example_fails(tmp_path, monkeypatch):
    (tmp_path / "wrong_example.py").write_text('"""\n>>> 1 + 1\n3\n"""\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match="Expected"):
        test_examples_run("wrong_example", tmp_path, monkeypatch)
