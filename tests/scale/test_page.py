"""The Python of docs/scale.md, whose other parts `make test-scale` alone has installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pages import CLIENTS, ROOT
from tiny import save_light_preset

pytestmark = pytest.mark.slow

BLOCKS = [block.code for block in CLIENTS if block.page == "docs/scale.md"]


def code_of(module: str) -> str:
    """The block that imports a module."""
    [code] = [code for code in BLOCKS if code.startswith(f"import {module}")]
    return code


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a photograph."""
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs/street.jpg", tmp_path / "docs")
    return tmp_path


def run(folder: Path, code: str) -> str:
    """What a program prints that runs in a folder."""
    answer = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_every_block_is_here():
    assert [code.split()[1] for code in BLOCKS] == ["pandas", "apache_beam", "ray"]


def test_pandas(desk):
    for module in ("pandas", "apache_beam"):
        pytest.importorskip(module)
    save_light_preset(desk / "preset")
    arguments = ["label", "--input", "docs", "--preset", "preset", "--output", "labels", "--workers", "1"]
    run(desk, f"from keras_segformer.cli import main; assert main({arguments}) == 0")
    assert float(run(desk, code_of("pandas") + "print(shares.share.sum())")) == pytest.approx(1)


def test_beam(desk):
    pytest.importorskip("apache_beam")
    assert "(540, 960)" in run(desk, code_of("apache_beam"))


def test_ray(desk):
    pytest.importorskip("ray")
    code = code_of("ray").replace('"num_gpus": 1', '"num_gpus": 0').replace("concurrency=4", "concurrency=1")
    assert "docs/street.jpg (540, 960)" in run(desk, code)
