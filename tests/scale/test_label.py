"""Labels of many pictures, in this process: what is written, what is done again, what workers run."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import keras
import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

import keras_segformer.scale.label as label_module
from keras_segformer import SegFormer
from keras_segformer.cli import main
from keras_segformer.errors import InvalidImageError, MissingExtraError
from keras_segformer.scale import LabelBatch, ModelChoice, SegmentationModelHandler
from keras_segformer.scale.attempts import run_direct
from keras_segformer.scale.models import LabelJob
from keras_segformer.scale.pictures import find_pictures, read_picture
from keras_segformer.scale.ray import _LabelAndWrite, run_dataset
from keras_segformer.scale.store import Results, ResultWriter
from tflite_files import convert
from tiny import light_segmenter


@pytest.fixture(scope="module")
def model() -> SegFormer:
    keras.utils.set_random_seed(0)
    return light_segmenter(num_classes=3)


@pytest.fixture(autouse=True)
def loaded(model, monkeypatch):
    """The model stands in for the preset, and this process for workers."""
    monkeypatch.setattr(SegFormer, "from_preset", lambda name: model)

    def run(job: LabelJob, paths: list[str], *_: object) -> None:
        assert Results(job.output).read_list(job.to_do) == paths
        _LabelAndWrite(job)({"path": np.array(paths)})

    monkeypatch.setattr(label_module, "_run", run)
    monkeypatch.setattr(label_module, "_check_runner", lambda *_: None)


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed, size in enumerate([(40, 56), (40, 56), (64, 32)]):
        pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    (folder / "broken.png").write_bytes(b"nothing")
    Image.new("RGB", (9, 9)).save(folder / "small.png")
    return folder


def run(folder: object, output: object, *options: str) -> int:
    words = ["label", "--input", str(folder), "--preset", "light", "--output", str(output), "--size", "native"]
    return main([*words, *options])


def rows(output: Path, table: str) -> list[dict]:
    return pyarrow.parquet.read_table(output / f"{table}.parquet").to_pylist()


def test_what_is_written(folder, model, tmp_path, capsys):
    output = tmp_path / "out"
    assert run(folder, output) == 1
    assert "5 pictures done" in capsys.readouterr().out
    index = rows(output, "index")
    assert [row["path"] for row in index] == [str(folder / f"{number}.png") for number in range(3)]
    sha256 = json.loads((output / "model.json").read_text())["sha256"]
    for row in index:
        labels = model.segment(row["path"], size="native")
        np.testing.assert_array_equal(np.asarray(Image.open(output / row["mask"])), labels)
        assert (row["height"], row["width"], row["model_sha256"]) == (*labels.shape, sha256)
        shares = {each["index"]: each["share"] for each in row["classes"]}
        assert shares == pytest.approx({value: np.mean(labels == value) for value in np.unique(labels)})
        assert row["time"].tzinfo is not None
    failed = {Path(row["path"]).name: row["reason"] for row in rows(output, "failed")}
    assert failed.keys() == {"broken.png", "small.png"}
    assert "32x32" in failed["small.png"]
    assert not list((output / "parts").iterdir())


def test_what_was_assumed(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("keras_segformer.cli.label._MAX_LINES", 1)
    for name in ("deep", "deeper"):
        Image.fromarray(np.full((40, 56), 4095, np.uint16)).save(folder / f"{name}.png")
    output = tmp_path / "out"
    assert run(folder, output, "--bit-depth", "12") == 1
    assumed = "has 16 bits a channel, of which 12 count"
    assert {Path(row["path"]).stem: row["assumed"] for row in rows(output, "index") if row["assumed"]} == {
        "deep": assumed,
        "deeper": assumed,
    }
    error = capsys.readouterr().err
    assert f"assumed: '{folder / 'deep.png'}' {assumed}\n" in error
    assert "and of 1 further pictures; the column `assumed`" in error
    assert run(folder, output, "--bit-depth", "12") == 1
    assert "assumed: " not in capsys.readouterr().err  # that was said when they were done


def test_the_index_of_an_older_version(folder, tmp_path):
    output = tmp_path / "out"
    run(folder, output)
    index = pyarrow.parquet.read_table(output / "index.parquet").drop_columns(["assumed"])
    pyarrow.parquet.write_table(index, output / "index.parquet")
    Image.open(folder / "0.png").save(folder / "broken.png")
    assert run(folder, output) == 1
    assert [row["assumed"] for row in rows(output, "index")] == [None, None, None, ""]


def test_only_what_is_left_is_done(folder, tmp_path, capsys):
    output = tmp_path / "out"
    run(folder, output)
    masks = {path: path.stat().st_mtime_ns for path in output.glob("masks/*/*")}
    Image.open(folder / "0.png").save(folder / "broken.png")
    Image.open(folder / "0.png").save(folder / "small.png")
    capsys.readouterr()
    assert run(folder, output) == 0
    assert "2 pictures done" in capsys.readouterr().out
    assert len(rows(output, "index")) == 5
    assert rows(output, "failed") == []
    assert {path: path.stat().st_mtime_ns for path in masks} == masks


def test_parts_of_a_killed_run_count_once(folder, model, tmp_path):
    output = tmp_path / "out"
    run(folder, output)
    before = rows(output, "index")
    writer = ResultWriter(Results(str(output)), model.label_set)
    for number in range(2):  # a worker that was killed after its part, and one that did the same again
        writer.add(str(folder / "0.png"), model.segment(folder / "0.png"), str(number))
        writer.flush()
    writer.add(str(folder / "new.png"), model.segment(folder / "0.png"), "2")
    assert len(Results(str(output)).finished()) == 3  # what was not flushed is not done
    writer.flush()
    assert str(folder / "new.png") in Results(str(output)).finished()
    assert Results(str(output)).merge() == (4, 2)
    assert [row["path"] for row in rows(output, "index")] == [*(row["path"] for row in before), str(folder / "new.png")]


def test_rows_are_written_while_a_worker_works(model, tmp_path):
    results = Results(str(tmp_path))
    writer = ResultWriter(results, model.label_set)
    for number in range(64):
        writer.add(f"{number}.png", InvalidImageError("broken"), "")
    assert len(list((tmp_path / "parts").iterdir())) == 1


def test_another_model_is_refused(folder, model, tmp_path, monkeypatch, capsys):
    output = tmp_path / "out"
    run(folder, output)
    other = light_segmenter(num_classes=3)
    monkeypatch.setattr(SegFormer, "from_preset", lambda name: other)
    assert run(folder, output) == 2
    assert "another model" in capsys.readouterr().err


def test_the_digest_is_that_of_the_weights(model, monkeypatch):
    again = light_segmenter(num_classes=3)
    again.set_weights(model.get_weights())
    digest = ModelChoice("light").load().sha256
    monkeypatch.setattr(SegFormer, "from_preset", lambda name: again)
    assert ModelChoice("light").load().sha256 == digest


def test_addresses(folder, tmp_path, model):
    address = folder.as_uri()
    assert find_pictures([f"{address}/?.png", address]) == [
        f"{address}/{name}.png" for name in ("0", "1", "2", "broken", "small")
    ]
    assert find_pictures([f"{address}/0.png"]) == [f"{address}/0.png"]
    np.testing.assert_array_equal(read_picture(f"{address}/0.png").pixels, np.asarray(Image.open(folder / "0.png")))
    assert run(address, (tmp_path / "out").as_uri()) == 1
    assert len(rows(tmp_path / "out", "index")) == 3
    with pytest.raises(FileNotFoundError, match="no image found"):
        find_pictures([f"{address}/*.jpg"])
    with pytest.raises(InvalidImageError, match="not an image"):
        read_picture(f"{address}/broken.png")
    with pytest.raises(ValueError, match="cannot be opened"):
        find_pictures(["gopher://host/*.png"])


def test_batches_of_ray(folder, model):
    paths = np.array([str(folder / "0.png"), str(folder / "broken.png")])
    batch = LabelBatch(ModelChoice("light", size="native"))({"path": paths})
    np.testing.assert_array_equal(batch["labels"][0], model.segment(folder / "0.png", size="native"))
    assert batch["labels"][1].size == 0
    assert batch["reason"][0] == batch["assumed"][0] == ""
    assert "broken.png" in batch["reason"][1]


def test_tflite_files(folder, tmp_path):
    images = keras.Input((64, 64, 3), batch_size=1)
    path = convert(keras.Model(images, keras.layers.Conv2D(3, 4, strides=4)(images)), tmp_path / "model.tflite")
    loaded = ModelChoice(file=str(path), threads=1).load()
    [labels] = loaded.segment([np.asarray(Image.open(folder / "0.png"))])
    assert labels.shape == (40, 56)
    assert loaded.label_set.num_classes == 3
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_one_model_is_named():
    with pytest.raises(ValueError, match="a preset or a TF Lite file"):
        ModelChoice()


@pytest.mark.parametrize("runner", ["nonsense", "ray", "FlinkRunner"])
def test_runners_are_looked_up_before_any_work(runner, tmp_path, monkeypatch, capsys):
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert run("nowhere", tmp_path / "out", "--runner", runner) == 2
    message = "there is no runner 'nonsense'" if runner == "nonsense" else f"[{'ray' if runner == 'ray' else 'beam'}]"
    assert message in capsys.readouterr().err


def test_runners_with_workers_of_their_own(tmp_path, monkeypatch, capsys):
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    assert run("nowhere", tmp_path / "out", "--runner", "FlinkRunner", "--workers", "2") == 2
    assert "leave --workers out, and give it in --options" in capsys.readouterr().err


def test_missing_extras_are_named(monkeypatch):
    monkeypatch.setattr("keras_segformer.scale.beam.beam", None)
    monkeypatch.setitem(sys.modules, "ray", None)
    job = LabelJob("out", "list", ModelChoice("light"), None, "")
    with pytest.raises(MissingExtraError, match=r"\[beam\]"):
        SegmentationModelHandler(ModelChoice("light"))
    with pytest.raises(MissingExtraError, match=r"\[beam\]"):
        run_direct(job, [], 1, [])
    with pytest.raises(MissingExtraError, match=r"\[ray\]"):
        run_dataset(job, [], 1)
