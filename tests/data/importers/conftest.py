"""Fixtures of the tests of imports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fake_exports import Imported


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The folder of an export, which the tests fill."""
    (tmp_path / "export").mkdir()
    return tmp_path / "export"


@pytest.fixture
def do_import(export: Path, tmp_path: Path) -> Callable[..., Imported]:
    """Imports the export, with options."""
    return lambda **options: Imported(export, tmp_path / "output", **options)
