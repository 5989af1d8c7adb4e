"""`android_demo/tools/host_model.py`: its frame matches the image. Tests in Kotlin check the labels."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

TOOLS = Path(__file__).parents[2] / "android_demo/tools"


@pytest.fixture
def host_model(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(TOOLS)
    return importlib.import_module("host_model")


def test_frame_is_the_middle_of_the_picture_once_it_is_upright(host_model: ModuleType) -> None:
    planes = host_model.camera_frame()
    assert [plane.shape for plane in planes] == [(640, 360), (320, 180), (320, 180)]
    seen = host_model.golden_frames.frame_to_input(planes, host_model.GEOMETRY, host_model.ENCODING)
    with Image.open(host_model.PICTURE) as picture:
        width, height = picture.size
        left = (width - height) // 2
        expected = np.asarray(picture.crop((left, 0, left + height, height)).resize((256, 256)))
    difference = np.abs(seen.astype(float) - expected)
    mirrored = np.abs(seen[:, ::-1].astype(float) - expected)
    assert difference.mean() < 8 < mirrored.mean()
