"""Time and memory of files."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from keras_segformer.cli import main
from keras_segformer.conversion.benchmark import benchmark, profile, run_in_process, smallest_limit
from keras_segformer.conversion.benchmark.profile import parse_summary
from keras_segformer.conversion.benchmark.timing import seconds_in_turn
from keras_segformer.errors import MissingExtraError

SUMMARY = """
========================= Run Order =========================
              [node type]  [start]  [first]  [avg ms]     [%]   [cdf%]  [mem KB]  [times called]  [Name]
                     CAST    0.000    0.199     0.210  0.206%   0.206%     0.000               5  [Builtin]:0
   Delegate/Subtract (ND)    0.000    1.285     1.379  1.351%   1.557%     0.000               5  [Delegate]:0
   Delegate/Subtract (ND)    0.000    1.285     0.621  1.351%   1.557%     0.000               5  [Delegate]:1
========================= Top by Computation Time =========================
                     CAST    0.000    0.199     0.210  0.206%   0.206%     0.000               5  [Builtin]:0
"""


@pytest.fixture(scope="module")
def files(converted, tmp_path_factory):
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    folder = tmp_path_factory.mktemp("files")
    paths = [folder / f"{precision}.tflite" for precision in ("float32", "float16")]
    for path in paths:
        shutil.copyfile(converted("tiny", precision=path.stem, input_size=(64, 64), report=False)[0], path)
    return [str(path) for path in paths]


def test_figures(files):
    found = benchmark(files, threads=(1, 2), rounds=3)
    assert list(found) == files
    first, second = found.values()
    assert first.ratio == {1: 1.0, 2: 1.0}
    assert second.file_bytes < first.file_bytes
    for each in (first, second):
        assert 0 < each.arena_bytes < each.peak_bytes
        assert each.added_bytes < each.peak_bytes < 400e6  # TensorFlow is not in that process
        assert all(0 < seconds < 30 for seconds in (each.load_seconds, *each.seconds.values()))
    json.dumps(first.to_dict())


def test_litert_is_needed(monkeypatch):
    """TensorFlow computes integers without XNNPACK, so that its times would mislead."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'keras-segformer\[mobile\]'"):
        run_in_process(b"")


def test_limit_of_memory(files):
    limit = smallest_limit(files[0])
    assert run_in_process(files[0], runs=1, limit_bytes=limit + 2**22)["checksum"]
    with pytest.raises(MemoryError, match="does not run within"):
        run_in_process(files[0], runs=1, limit_bytes=limit // 2)


def test_broken_files(tmp_path):
    (tmp_path / "m.tflite").write_bytes(b"nothing")
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    with pytest.raises(ValueError, match=r"m.tflite' (cannot be run|kills the process)"):
        run_in_process(tmp_path / "m.tflite")
    with pytest.raises(FileNotFoundError, match="no file"):
        benchmark([tmp_path / "n.tflite"])
    with pytest.raises(ValueError, match="no file to measure"):
        benchmark([])


def test_summary_of_the_profiler():
    assert parse_summary(SUMMARY) == [
        {"kernel": "Subtract (ND)", "count": 2, "milliseconds": pytest.approx(2.0)},
        {"kernel": "CAST", "count": 1, "milliseconds": pytest.approx(0.21)},
    ]


def test_kernels(files):
    kernels = {row["kernel"]: row for row in profile(files[0], runs=3)}
    assert any("Batch Matrix Multiply" in name for name in kernels)
    assert sum(row["count"] for row in kernels.values()) > 50


def test_kernels_of_a_file_that_is_none(tmp_path):
    (tmp_path / "m.tflite").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"m.tflite' (cannot be run|kills the process)"):
        profile(tmp_path / "m.tflite")


@pytest.mark.parametrize("measure", [lambda file: benchmark([file]), profile, run_in_process, smallest_limit])
def test_file_that_crashes(measure, crashing_file):
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    with pytest.raises(ValueError, match=r"crashing.tflite' kills the process that runs it \(signal SIG"):
        measure(crashing_file)


def test_contender_that_measures_itself():
    seconds = seconds_in_turn({"own": lambda: 12.5, "ours": lambda: None}, rounds=2)
    assert seconds["own"] == [12.5, 12.5]
    assert max(seconds["ours"]) < 1


def test_every_round_runs_every_contender():
    calls = []
    seconds = seconds_in_turn({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=4)
    assert {name: len(each) for name, each in seconds.items()} == {"a": 4, "b": 4}
    assert calls[:4] == ["a", "a", "b", "b"]  # warm up
    assert all(set(pair) == {"a", "b"} for pair in np.reshape(calls[4:], (4, 2)))


def test_command(files, tmp_path, capsys):
    assert (
        main(["benchmark", *files, "--threads", "1", "--rounds", "2", "--profile", "--json", str(tmp_path / "b.json")])
        == 0
    )
    printed = capsys.readouterr().out
    assert "float16.tflite" in printed
    assert "kernels, one thread" in printed
    content = json.loads((tmp_path / "b.json").read_text())
    assert set(content["files"]) == set(content["kernels"]) == set(files)
    assert main(["benchmark", str(tmp_path / "none.tflite")]) == 2
    assert "no file" in capsys.readouterr().err
