"""Polygons around areas."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rasterio", reason="the extra `geo` is not installed")
coco = pytest.importorskip("pycocotools.mask", reason="the extra `data` is not installed")

from keras_segformer.raster import outlines as module  # noqa: E402 - needs the extras
from keras_segformer.raster.outlines import outlines  # noqa: E402


def nested() -> np.ndarray:
    """Rings in rings, and areas that touch at corners."""
    mask = np.zeros((40, 50), bool)
    mask[2:38, 3:45] = True
    mask[5:35, 6:40] = False
    mask[8:30, 10:30] = True
    mask[10:14, 12:16] = mask[20:21, 20:21] = False
    mask[0:2, 0:3] = True
    return mask


MASKS = {
    "all": np.ones((5, 7), bool),
    "nested": nested(),
    "noise": np.random.default_rng(0).random((30, 40)) < 0.5,
    "one pixel": np.eye(1, 9, 4, dtype=bool),
}


@pytest.mark.parametrize("name", MASKS)
def test_pycocotools_draws_the_same_area(name):
    mask = MASKS[name]
    polygons = outlines(mask)
    drawn = coco.decode(coco.frPyObjects(polygons, *mask.shape)).sum(axis=2)
    np.testing.assert_array_equal(drawn, mask)


def test_nothing_has_no_outline():
    assert outlines(np.zeros((4, 4), bool)) == []


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(module, "features", None)
    with pytest.raises(ValueError, match=r"\[geo\]"):
        outlines(np.ones((2, 2), bool))
