"""Results of many pictures in one file."""

from __future__ import annotations

import json

import numpy as np
import pytest

from keras_segformer.cli import main
from keras_segformer.cli.result_tables import AreaTable, CocoAnnotations, is_parquet
from keras_segformer.errors import MissingExtraError
from keras_segformer.label_sets import LabelSet

LABELS = np.repeat([[0, 2], [2, 2]], 3, axis=1)


def test_parquet_has_the_rows_of_csv(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `data` is not installed")
    table = AreaTable()
    table.add("a.png", (2, 6), np.bincount(LABELS.ravel()), LabelSet.generic(3))
    table.write(tmp_path / "areas.parquet")
    assert parquet.read_table(tmp_path / "areas.parquet").to_pylist() == table.rows
    AreaTable().write(tmp_path / "none.parquet")
    assert parquet.read_table(tmp_path / "none.parquet").num_columns == 7


def test_polygons_of_coco(tmp_path):
    coco = pytest.importorskip("pycocotools.coco", reason="the extra `data` is not installed")
    pytest.importorskip("rasterio", reason="the extra `geo` is not installed")
    annotations = CocoAnnotations(LabelSet.generic(3), polygons=True)
    annotations.add("a.png", LABELS)
    annotations.write(tmp_path / "coco.json")
    assert json.loads((tmp_path / "coco.json").read_text())["annotations"][0]["segmentation"] == [
        [0.0, 0.0, 0.0, 1.0, 3.0, 1.0, 3.0, 0.0]
    ]
    read = coco.COCO(str(tmp_path / "coco.json"))
    for each in read.loadAnns(read.getAnnIds()):
        np.testing.assert_array_equal(read.annToMask(each), each["category_id"] - 1 == LABELS)


def test_options_are_checked_before_any_work(tmp_path, monkeypatch, capsys):
    line = ["predict", "nowhere.png", "--preset", "light", "--output", str(tmp_path / "out")]
    assert main([*line, "--polygons"]) == 2
    assert "--polygons is for --coco" in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"\[data\]"):
        is_parquet(tmp_path / "areas.parquet")
