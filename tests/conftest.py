"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

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
def crashing_file(shared: Path) -> Path:
    """A damaged TF Lite file that kills the process that runs it."""
    return shared / "field_cases/crashing.tflite"
