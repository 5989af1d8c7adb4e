"""The files that the tests of the Android app's core read are what the command makes, and the command is right."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from outside_modules import load_module

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def golden_frames() -> ModuleType:
    """The command, which lies outside of every package."""
    return load_module(ROOT / "android_demo/tools/golden_frames.py")


@pytest.fixture(scope="module")
def planes() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, shape, np.uint8) for shape in ((10, 14), (5, 7), (5, 7))]


@pytest.mark.parametrize("name", ["frames", "labels", "steady"])
def test_files_are_current(golden_frames: ModuleType, tmp_path: Path, name: str) -> None:
    golden_frames.write(tmp_path)
    kept, made = golden_frames.GOLDEN, tmp_path
    assert json.loads((kept / f"{name}.json").read_text()) == json.loads((made / f"{name}.json").read_text())
    old, new = (np.fromfile(folder / f"{name}.bin", np.uint8).astype(int) for folder in (kept, made))
    # Another machine may round a value on the edge the other way.
    assert np.abs(old - new).max() <= 1
    assert np.mean(old != new) < 1e-3


def test_colors_are_those_of_jpeg(golden_frames: ModuleType) -> None:
    rng = np.random.default_rng(6)
    ycc = rng.integers(0, 256, (64, 64, 3), np.uint8)
    expected = np.asarray(Image.fromarray(ycc, "YCbCr").convert("RGB")).astype(int)
    actual = golden_frames.to_rgb(*np.moveaxis(ycc.astype(float), -1, 0), "BT601_FULL").astype(int)
    assert np.abs(actual - expected).max() <= 1


@pytest.mark.parametrize("encoding", ["BT601_LIMITED", "BT709_LIMITED"])
def test_limited_range_ends_at_black_and_white(golden_frames: ModuleType, encoding: str) -> None:
    luma = np.array([16.0, 235.0])
    grey = np.array([128.0, 128.0])
    assert golden_frames.to_rgb(luma, grey, grey, encoding).tolist() == [[0, 0, 0], [255, 255, 255]]


def test_enlarging_is_that_of_pillow(golden_frames: ModuleType, planes: list[np.ndarray]) -> None:
    geometry = golden_frames.Geometry((14, 10), (42, 30), 0, False, "CROP")
    expected = np.asarray(Image.fromarray(planes[0]).resize((42, 30), Image.Resampling.BILINEAR)).astype(float)
    assert np.abs(golden_frames.sampled(planes[0], geometry) - expected).max() <= 1


def test_chroma_is_centred_on_its_pixels(golden_frames: ModuleType) -> None:
    geometry = golden_frames.Geometry((8, 2), (8, 2), 0, False, "CROP")
    ramp = np.array([[0, 40, 80, 120]], np.uint8)
    assert golden_frames.sampled(ramp, geometry, 2)[0].tolist() == [0, 10, 30, 50, 70, 90, 110, 120]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("subsampling", [1, 2])
def test_turning_after_or_before_is_the_same(
    golden_frames: ModuleType, planes: list[np.ndarray], rotation: int, mirror: bool, subsampling: int
) -> None:
    plane = planes[subsampling - 1]
    upright = np.rot90(plane, -rotation // 90)
    upright = upright[:, ::-1] if mirror else upright
    size = (14, 10) if rotation % 180 == 0 else (10, 14)
    before = golden_frames.Geometry(size, (9, 9), 0, False, "CROP")
    after = golden_frames.Geometry((14, 10), (9, 9), rotation, mirror, "CROP")
    np.testing.assert_allclose(
        golden_frames.sampled(plane, after, subsampling), golden_frames.sampled(upright, before, subsampling), atol=1e-9
    )


def test_fit_shows_all_between_bars(golden_frames: ModuleType) -> None:
    geometry = golden_frames.Geometry((20, 10), (8, 8), 0, False, "FIT")
    source, content = geometry.boxes()
    assert (tuple(source), tuple(content)) == ((0, 0, 20, 10), (0, 2, 8, 6))
    tensor = golden_frames.framed(np.zeros((4, 8, 3), np.uint8), geometry)
    assert (tensor[[0, 1, 6, 7]] == golden_frames.PADDING).all()
    assert not tensor[2:6].any()


def test_classes_win_where_most_of_their_map_is(golden_frames: ModuleType) -> None:
    winners, margin = golden_frames.upsampled_classes(np.array([[0, 1]]), (8, 1), 2)
    assert winners.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]]
    assert margin.min() == pytest.approx(0.25)
