"""GeoTIFF files in and out."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

rasterio = pytest.importorskip("rasterio", reason="the extra `geo` is not installed")

from rasterio.transform import Affine  # noqa: E402 - needs the extra

from keras_segformer.cli import main  # noqa: E402
from keras_segformer.errors import InvalidImageError, MissingExtraError  # noqa: E402
from keras_segformer.label_sets import LabelSet  # noqa: E402
from keras_segformer.raster.segment import segment_raster  # noqa: E402
from keras_segformer.raster.windows import windows  # noqa: E402
from keras_segformer.segformer import SegFormer  # noqa: E402
from tflite_files import convert  # noqa: E402
from tiny import light_segmenter  # noqa: E402

LABELS = LabelSet.generic(3)
PLACE = {"crs": "EPSG:32633", "transform": Affine(10, 0, 500_000, 0, -10, 5_200_000)}


def write(path: Path, values: np.ndarray, **options: object) -> Path:
    """Writes bands `(bands, H, W)`."""
    count, height, width = values.shape
    profile = PLACE | {"count": count, "height": height, "width": width, "dtype": values.dtype} | options
    with rasterio.open(path, "w", driver="GTiff", **profile) as file:
        file.write(values)
    return path


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, shape, dtype=np.uint8)


def thirds(picture: np.ndarray) -> np.ndarray:
    """The labels of a picture by its red."""
    return (picture[..., 0] // 86).astype(np.int32)


@pytest.mark.parametrize("size", [(1, 1), (64, 100), (512, 767), (770, 2049)])
def test_every_pixel_is_kept_once(size):
    seen = np.zeros(size, int)
    for window in windows(size, (256, 256)):
        seen[window.kept_rows, window.kept_columns] += 1
        assert [span.stop - span.start for span in (window.rows, window.columns)] == [min(side, 256) for side in size]
        for kept, read, length in zip(
            (window.kept_rows, window.kept_columns), (window.rows, window.columns), size, strict=True
        ):
            assert kept.start - read.start >= 32 or read.start == 0
            assert read.stop - kept.stop >= 32 or read.stop == length
    assert (seen == 1).all()


def test_labels_lie_where_the_raster_does(tmp_path):
    values = noise(4, 300, 500)
    values[3] = 255
    values[:, 100:120, 30:90] = 0
    path = write(tmp_path / "scene.tif", values, nodata=0, alpha="no")
    steps = []
    found = segment_raster(
        path, tmp_path / "labels.tif", thirds, LABELS, sides=(256, 256), progress=lambda n: lambda: steps.append(n)
    )
    expected = np.where((values == 0).all(0), 255, values[0] // 86)
    with rasterio.open(tmp_path / "labels.tif") as file:
        np.testing.assert_array_equal(file.read(1), expected)
        assert file.crs == PLACE["crs"]
        assert file.transform == PLACE["transform"]
        assert file.nodata == 255
        assert file.colormap(1)[1][:3] == LABELS.palette[1]
        assert file.tags()["CLASS_2"] == "class 2"
        assert file.block_shapes == [(192, 192)]
    assert found.size == (300, 500)
    assert found.pixels.tolist() == [np.count_nonzero(expected == index) for index in range(3)]
    assert steps == [6] * 6


def test_memory_does_not_grow_with_the_raster(tmp_path):
    path = tmp_path / "large.tif"
    side = 6000  # 108 MB in three bands, of which a corner is there
    profile = PLACE | {"count": 3, "height": side, "width": side, "dtype": "uint8", "nodata": 0, "sparse_ok": True}
    with rasterio.open(path, "w", driver="GTiff", tiled=True, blockxsize=1024, blockysize=1024, **profile) as file:
        file.write(noise(3, 512, 512), window=rasterio.windows.Window(side - 512, side - 512, 512, 512))
    seen = []

    def segment(picture: np.ndarray) -> np.ndarray:
        seen.append(picture.shape[:2])
        return thirds(picture)

    tracemalloc.start()
    found = segment_raster(path, tmp_path / "labels.tif", segment, LABELS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.pixels.sum() == 512 * 512
    assert len(seen) == 1
    assert peak < 30e6
    assert (tmp_path / "labels.tif").stat().st_size < 1e6


def test_bands(tmp_path):
    grey = noise(1, 40, 50)
    deep = (grey.astype(np.uint16) * 16) + 15  # 12 bits
    for values, bits in ((grey, None), (deep, 12)):
        write(tmp_path / "bands.tif", values)
        segment_raster(tmp_path / "bands.tif", tmp_path / "out.tif", thirds, LABELS, bits)
        with rasterio.open(tmp_path / "out.tif") as file:
            assert np.mean(file.read(1) == grey[0] // 86) > 0.98
    with pytest.raises(InvalidImageError, match="--bit-depth"):
        segment_raster(tmp_path / "bands.tif", tmp_path / "out.tif", thirds, LABELS)
    write(tmp_path / "float.tif", grey.astype(np.float32))
    with pytest.raises(InvalidImageError, match="float32; scale them"):
        segment_raster(tmp_path / "float.tif", tmp_path / "out.tif", thirds, LABELS)
    (tmp_path / "broken.tif").write_bytes(b"II*\0 nothing")
    with pytest.raises(InvalidImageError, match="cannot be read as a raster"):
        segment_raster(tmp_path / "broken.tif", tmp_path / "out.tif", thirds, LABELS)


def test_the_command(tmp_path, monkeypatch, capsys):
    model = light_segmenter(num_classes=3)
    monkeypatch.setattr(SegFormer, "from_preset", lambda name: model)
    path = write(tmp_path / "scene.tif", noise(3, 64, 96))
    (tmp_path / "broken.tif").write_bytes(b"nothing")
    line = ["predict", str(tmp_path), "--preset", "light", "--geotiff", "--output", str(tmp_path / "out")]
    assert main([*line, "--csv", str(tmp_path / "areas.csv")]) == 1
    captured = capsys.readouterr()
    assert "64x96 pixels" in captured.out
    assert "broken.tif" in captured.err
    with rasterio.open(tmp_path / "out/scene_mask.tif") as file:
        np.testing.assert_array_equal(file.read(1), model.segment(path, size="native"))
    assert "scene.tif" in (tmp_path / "areas.csv").read_text()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("scene.png", [], "there is none; leave it out"),
        ("scene.tif", ["--mask"], "leave out --mask"),
        ("scene.tif", ["--coco", "masks.json"], "leave out --coco"),
    ],
)
def test_what_would_be_left_out_is_refused(tmp_path, capsys, name, options, message):
    path = tmp_path / name
    Image.fromarray(noise(3, 64, 96).transpose(1, 2, 0)).save(path)
    line = ["predict", str(path), "--preset", "b0_camvid", "--geotiff", "--output", str(tmp_path / "out"), *options]
    assert main(line) == 2
    assert message in capsys.readouterr().err


NO_COLORS = {"photometric": "MINISBLACK", "alpha": "no"}
ASSUMED = {
    "a plain picture": (noise(3, 64, 96), {"crs": None}, "has no coordinate system, and neither have its labels"),
    "colours and transparency": (noise(4, 64, 96), {"photometric": "RGB", "alpha": "yes"}, None),
    "colours and more": (
        noise(5, 64, 96),
        {"photometric": "RGB", "alpha": "no"},
        "has 5 bands, of which red, green and blue are seen",
    ),
    "two bands": (noise(2, 64, 96), NO_COLORS, "has 2 bands, of which the first is seen"),
    "no colours": (
        noise(4, 64, 96),
        NO_COLORS,
        "does not say which of its 4 bands are red, green and blue; the first three are seen",
    ),
    "16 bits": (noise(1, 64, 96).astype(np.uint16), {}, "has 16 bits a channel, of which 12 count"),
}


@pytest.mark.parametrize("name", ASSUMED)
def test_what_is_assumed_is_printed(tmp_path, monkeypatch, capsys, name):
    values, options, expected = ASSUMED[name]
    monkeypatch.setattr(SegFormer, "from_preset", lambda name: light_segmenter(num_classes=3))
    path = write(tmp_path / "scene.tif", values, **options)
    line = ["predict", str(path), "--preset", "light", "--geotiff", "--output", str(tmp_path / "out")]
    assert main([*line, "--bit-depth", "12"]) == 0
    printed = [each for each in capsys.readouterr().err.splitlines() if each.startswith("assumed:")]
    assert printed == ([f"assumed: '{path}' {expected}"] if expected else [])


@pytest.fixture(scope="module")
def network() -> SegFormer:
    keras.utils.set_random_seed(0)
    return light_segmenter(num_classes=3)


@pytest.fixture(scope="module")
def file(network, tmp_path_factory) -> Path:
    """The logits of that network for pictures of 64x96 pixels."""
    images = keras.Input((64, 96, 3), batch_size=1)
    return convert(keras.Model(images, network.quarter(images)), tmp_path_factory.mktemp("file") / "light.tflite")


@pytest.mark.parametrize("size", [(64, 96), (150, 100), (40, 200)])
def test_files_see_rasters_at_their_scale(tmp_path, network, file, size):
    path = write(tmp_path / "scene.tif", noise(3, *size))
    assert main(["predict", str(path), "--model", str(file), "--geotiff", "--output", str(tmp_path / "out")]) == 0

    def segment(window: np.ndarray) -> np.ndarray:
        height, width = window.shape[:2]
        larger = np.pad(window, ((0, 64 - height), (0, 96 - width), (0, 0)), mode="symmetric")
        return network.segment(larger, size="native")[:height, :width]

    segment_raster(path, tmp_path / "expected.tif", segment, LABELS, sides=(64, 96))
    found, expected = (rasterio.open(tmp_path / name) for name in ("out/scene_mask.tif", "expected.tif"))
    with found, expected:
        assert len(np.unique(expected.read(1))) > 1
        assert np.mean(found.read(1) == expected.read(1)) > 0.999


def test_windows_that_are_too_small():
    with pytest.raises(ValueError, match="at least 32x32 pixels; got 31x64"):
        list(windows((100, 100), (31, 64)))


def test_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(MissingExtraError, match=r"\[geo\]"):
        segment_raster(tmp_path / "a.tif", tmp_path / "b.tif", thirds, LABELS)
