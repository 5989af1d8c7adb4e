"""Sources are parsed although threads disturb one another."""

from __future__ import annotations

import ast

import pytest

import syntax_trees


def disturb(monkeypatch, times: int) -> None:
    """Let the next calls of Python's parser fail as a thread in its way makes them."""
    real, failures = ast.parse, iter([None] * times)

    def parse(code: str) -> ast.Module:
        for _ in failures:
            raise SystemError("AST constructor recursion depth mismatch (before=144, after=35)")
        return real(code)

    monkeypatch.setattr(ast, "parse", parse)


def test_tries_again(monkeypatch):
    disturb(monkeypatch, times=3)
    assert ast.unparse(syntax_trees.parse("x = 1")) == "x = 1"


def test_gives_up_at_last(monkeypatch):
    disturb(monkeypatch, times=1000)
    with pytest.raises(SystemError, match="depth mismatch"):
        syntax_trees.parse("x = 1")


def test_wrong_code():
    with pytest.raises(SyntaxError):
        syntax_trees.parse("x =")
