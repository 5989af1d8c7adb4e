"""Writers that are killed, and figures of `benchmarks/reliability.py` in small.

`KERAS_SEGFORMER_HITS` says how often every writer is killed; the benchmark kills each a hundred times.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import reliability
from file_writers import folder_writer, hit_writer, pair_writer
from kills import WRITERS, Writer, hit, hit_training
from reliability import in_child, measure_memory, segment_in_threads, write_together
from tiny import save_light_preset

HITS = int(os.environ.get("KERAS_SEGFORMER_HITS", "6"))

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
slow = pytest.mark.slow
# Where other tests of the same process have used TensorFlow, Python 3.12 warns of its threads at every fork.
forks = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture(scope="module")
def kills(tmp_path_factory):
    """The figures of the benchmark, in a process of its own: forks of one that has used TensorFlow lack its threads."""
    file = tmp_path_factory.mktemp("kills") / "figures.json"
    command = [sys.executable, reliability.__file__, "kills", "--hits", str(HITS), "--only", *WRITERS, "--json", file]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return json.loads(file.read_text())["kills"]


@pytest.fixture(scope="module")
def fresh() -> Iterator[Callable[..., Any]]:
    """Calls a function of a module as `in_child` does, from a process that has not used TensorFlow."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield lambda *arguments: pool.submit(in_child, *arguments).result()


@slow
@pytest.mark.parametrize("name", WRITERS)
def test_killed_writers_leave_one_version_whole(kills, name):
    assert kills[name]["hits"] == HITS


@slow
def test_a_killed_training_ends_like_one_that_was_not(fresh, tmp_path):
    fresh(save_light_preset, tmp_path / "preset")
    figures = fresh(hit_training, 3, tmp_path, 0, 30)
    assert figures["equal to a run that was not killed"]


@pytest.mark.parametrize("make", [pair_writer, folder_writer])
def test_what_all_writers_write_with(fresh, tmp_path, make):
    assert fresh(hit_writer, make, tmp_path, 15)["hits"] == 15


class TestTheHitsThemselves:
    """They find what is lost and mixed."""

    @staticmethod
    def writer(folder: Path, write) -> Writer:
        def find() -> int:
            versions = {(folder / name).read_text() for name in ("a", "b")}
            assert len(versions) == 1, "mixed"
            return int(versions.pop())

        return Writer("two files", write, find, (folder,))

    @forks
    def test_a_careless_writer_is_found(self, tmp_path):
        def write(version: int) -> None:
            for name in ("a", "b"):
                (tmp_path / name).write_text(str(version))
                import time

                time.sleep(0.05)

        with pytest.raises(AssertionError, match="mixed"):
            hit(self.writer(tmp_path, write), 100)

    @forks
    def test_leftovers_are_found(self, tmp_path):
        def write(version: int) -> None:
            (tmp_path / ".01234567.a").touch()
            for name in ("a", "b"):
                (tmp_path / name).write_text(str(version))

        with pytest.raises(AssertionError, match="leftovers"):
            hit(self.writer(tmp_path, write), 1)


@slow
def test_memory_does_not_grow_with_evaluations(fresh):
    figures = fresh(measure_memory, "evaluations", 30)
    assert figures["MB at the end"] < 1.1 * figures["MB at 50 %"]


@slow
def test_four_threads_on_one_model(fresh):
    assert fresh(segment_in_threads, 4, 8)["different from one thread"] == 0


@slow
def test_two_processes_on_one_output(fresh, tmp_path):
    figures = fresh(write_together, tmp_path / "out", 5.0)
    assert figures["written"] > 0
    assert figures["read whole"] > 0


def test_a_child_that_fails_is_an_error(capfd):
    with pytest.raises(RuntimeError, match="reliability_fails failed"):
        in_child(reliability_fails)
    assert "on purpose" in capfd.readouterr().err
    assert in_child(reliability.resident_mb) > 10


def reliability_fails() -> None:
    raise ValueError("on purpose")
