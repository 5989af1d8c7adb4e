"""Apache Beam and Ray Data with several processes, one of which is killed; `make test-scale` has both installed."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.cli import main
from tiny import save_light_preset

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc")]
COUNT = 2000
DISTINCT = 5


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("preset")
    save_light_preset(folder)
    return folder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Many names of few pictures, and a broken one."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0).integers(0, 256, (DISTINCT, 40, 56, 3), dtype=np.uint8)
    for index in range(COUNT):
        path = folder / f"{index:04d}.png"
        if index < DISTINCT:
            Image.fromarray(noise[index]).save(path)
        else:
            path.hardlink_to(folder / f"{index % DISTINCT:04d}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG nothing")
    return folder


def descendants(word: str) -> Iterator[int]:
    """The processes below this one whose command line has a word."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    for process in parents:
        ancestor = process
        while ancestor in parents and ancestor != os.getpid():
            ancestor = parents[ancestor]
        if ancestor == os.getpid() != process:
            try:
                if word in Path(f"/proc/{process}/cmdline").read_text():
                    yield process
            except OSError:
                continue


def kill_one_midway(output: Path, word: str, killed: list[int]) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        masks = sum(1 for _ in output.glob("masks/*/*.png"))
        if masks > COUNT // 10:
            workers = list(descendants(word))
            os.kill(workers[0], signal.SIGKILL)
            killed.append(masks)
            return
        time.sleep(0.01)


def label(pictures: Path, preset: Path, output: Path, *options: str) -> int:
    words = ["label", "--input", str(pictures), "--preset", str(preset), "--output", str(output), "--size", "native"]
    return main([*words, *options])


@pytest.fixture
def cluster(module) -> Iterator[None]:
    """Two nodes of Ray with a core each."""
    if module != "ray" or importlib.util.find_spec("ray") is None:
        yield
        return
    import ray
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    ray.init(nodes.address, log_to_driver=False, logging_level="error")
    assert len(ray.nodes()) == 2
    yield
    ray.shutdown()
    nodes.shutdown()


RUNNERS = {
    "apache_beam": ("DirectRunner", "sdk_worker_main"),
    "ray": ("ray", "ray::MapWorker"),
}


@pytest.mark.parametrize("module", RUNNERS)
@pytest.mark.filterwarnings("ignore")  # those of the runners
def test_a_killed_worker_loses_nothing_and_doubles_nothing(module, cluster, pictures, preset, tmp_path, capfd):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed; make test-scale has it")
    runner, word = RUNNERS[module]
    output, killed = tmp_path / "out", []
    killer = threading.Thread(target=kill_one_midway, args=(output, word, killed))
    killer.start()
    assert label(pictures, preset, output, "--runner", runner, "--workers", "2") == 1  # the broken picture
    killer.join()
    assert killed
    assert killed[0] < COUNT
    index = pyarrow.parquet.read_table(output / "index.parquet").to_pylist()
    assert [row["path"] for row in index] == [str(pictures / f"{number:04d}.png") for number in range(COUNT)]
    [failed] = pyarrow.parquet.read_table(output / "failed.parquet").to_pylist()
    assert failed["path"] == str(pictures / "broken.png")
    assert "broken.png" in failed["reason"]
    assert not list((output / "parts").iterdir())
    model = SegFormer.from_preset(preset)
    expected = [model.segment(pictures / f"{number:04d}.png", size="native") for number in range(DISTINCT)]
    assert {row["model_sha256"] for row in index} == {json.loads((output / "model.json").read_text())["sha256"]}
    for number, row in enumerate(index):
        np.testing.assert_array_equal(np.asarray(Image.open(output / row["mask"])), expected[number % DISTINCT])
    capfd.readouterr()
    (pictures / "broken.png").write_bytes((pictures / "0000.png").read_bytes())
    assert label(pictures, preset, output, "--runner", runner) == 0
    assert "1 pictures done" in capfd.readouterr().out
    (pictures / "broken.png").write_bytes(b"\x89PNG nothing")
