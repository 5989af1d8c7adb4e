"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# XLA spends half of a compilation on optimising code that a test runs once. Processes that tests start inherit this.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true")

# A slow machine is not a fault, and what passes once passes again.
hypothesis.settings.register_profile(
    "any machine", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

SHARED = Path(os.environ.get("KERAS_SEGFORMER_SHARED", Path(__file__).parents[1].parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data made by other tools; tests that need it are skipped without it."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference data at {SHARED}; name its folder in KERAS_SEGFORMER_SHARED")
    return SHARED


@pytest.fixture(scope="session")
def small_disks(tmp_path_factory) -> Iterator[Callable[[int], Path]]:
    """Makes file systems of a few bytes, which only root can; tests that need one are skipped for others."""
    mounted = []

    def make(size: int) -> Path:
        folder = tmp_path_factory.mktemp("small")
        if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip("only root can mount a small file system")
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        mount = subprocess.run(command, capture_output=True, text=True, check=False)
        if mount.returncode:
            pytest.skip(f"no small file system can be mounted here: {mount.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def without_xla(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps by TensorFlow's own operations: a tiny network trains in less time than its kernels take to compile.

    For tests of what surrounds a step; tests/ops and tests/training/test_golden_training.py train by the kernels.
    """
    monkeypatch.setattr("keras_segformer.ops._xla_kernels._xla_runs", lambda: False)


@pytest.fixture(scope="session")
def crashing_file(shared: Path) -> Path:
    """A damaged TF Lite file that kills the process that runs it."""
    return shared / "field_cases/crashing.tflite"
