"""Files run in processes of their own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

from keras_segformer.runtime import IsolatedRunner, TFLiteRunner
from keras_segformer.runtime.isolated_runner import WorkerProcess
from keras_segformer.runtime.messages import receive_message, send_message
from tflite_files import convert


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    keras.utils.set_random_seed(0)
    images = keras.Input((32, 32, 3), batch_size=1)
    network = keras.Model(images, keras.layers.Conv2D(5, 4, 4, data_format="channels_last")(images))
    return convert(network, tmp_path_factory.mktemp("files") / "m.tflite").read_bytes()


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype(np.float32)


def test_same_as_in_this_process(content, image):
    here = TFLiteRunner(content)
    with IsolatedRunner(content, "m.tflite", num_threads=1) as runner:
        assert (runner.inputs, runner.outputs) == (here.inputs, here.outputs)
        np.testing.assert_array_equal(runner(image)[0], here(image)[0])
        runner.set_inputs(image[:, ::-1])
        assert runner.invoke() > 0
        np.testing.assert_array_equal(runner.read_outputs()[0], here(image[:, ::-1])[0])
        sizes = [[end - start for start, end in each.address_ranges(3)] for each in (runner, here)]
        assert sizes[0] == sizes[1]


def test_hint_becomes_a_warning(monkeypatch):
    found = {"inputs": [], "outputs": [], "hint": "LiteRT is not installed"}
    monkeypatch.setattr(WorkerProcess, "request", lambda *_, **__: (found, []))
    process = WorkerProcess("m.tflite")
    with pytest.warns(UserWarning, match="'m.tflite': LiteRT is not installed"):
        process.load(b"")
    process.kill()


def test_threads_do_not_mix_their_images(content):
    images = [np.full((1, 32, 32, 3), value, np.float32) for value in range(8)]
    expected = [TFLiteRunner(content)(image)[0] for image in images]
    found = [None] * len(images)
    with IsolatedRunner(content, "m.tflite", num_threads=1) as runner:

        def run(index):
            for _ in range(20):
                [found[index]] = runner(images[index])

        threads = [threading.Thread(target=run, args=[index]) for index in range(len(images))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    np.testing.assert_array_equal(found, expected)


def test_file_that_kills_its_process(crashing_file):
    pytest.importorskip("ai_edge_litert", reason="the file was made to crash LiteRT")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"'crashing.tflite' kills the process that runs it \(signal SIG[A-Z]+"):
            IsolatedRunner(crashing_file.read_bytes(), "crashing.tflite")


def test_death_while_in_use(content, image):
    runner = IsolatedRunner(content, "m.tflite")
    os.kill(runner._worker._process.pid, signal.SIGSEGV)
    with pytest.raises(ValueError, match=r"'m.tflite' kills the process that runs it \(signal SIGSEGV\)"):
        runner(image)
    with pytest.raises(ValueError, match=r"m\.tflite"):
        runner(image)


def test_death_at_the_end(content):
    runner = IsolatedRunner(content, "m.tflite")
    os.kill(runner._worker._process.pid, signal.SIGABRT)
    with pytest.raises(ValueError, match="signal SIGABRT"):
        runner.close()
    runner.close()  # of a process that has ended


@pytest.mark.parametrize("damage", [lambda content: content[:-100], lambda content: b"TFL3" * 10], ids=["cut", "other"])
def test_damaged_file(content, damage):
    with pytest.raises(ValueError, match=r"'m\.tflite' cannot be run as a TF Lite file"):
        IsolatedRunner(damage(content), "m.tflite")


def test_wrong_number_of_inputs(content, image):
    with IsolatedRunner(content, "m.tflite") as runner:
        with pytest.raises(ValueError, match="cannot be run"):
            runner(image, image)
        assert runner(image)[0].shape == (1, 8, 8, 5)  # the process lives


def test_no_process_is_left(content):
    runner = IsolatedRunner(content, "m.tflite")
    process = runner._worker._process
    del runner
    assert process.poll() is not None


def test_worker_imports_nothing_heavy(content):
    worker = sys.modules["keras_segformer.runtime.isolated_runner"]._WORKER
    code = f"import runpy, sys; runpy.run_path({str(worker)!r}); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"keras", "tensorflow", "keras_segformer", "PIL"} & set(modules)


def test_messages():
    stream = io.BytesIO()
    arrays = [np.arange(6, dtype=np.int8).reshape(2, 3), np.zeros((0, 4), np.float32), np.array(1.5)]
    send_message(stream, {"value": [1, "ä"]}, arrays)
    stream.seek(0)
    content, found = receive_message(stream)
    assert content == {"value": [1, "ä"]}
    for array, expected in zip(found, arrays, strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)
    with pytest.raises(EOFError):
        receive_message(stream)
    with pytest.raises(EOFError):
        receive_message(io.BytesIO(stream.getvalue()[:-1]))


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[" * 100_000,
        "[]",
        "{}",
        '{"arrays": [{"dtype": "object", "shape": [1]}]}',
        '{"arrays": [{"dtype": "int8", "shape": [-1]}]}',
        '{"arrays": [{"dtype": "int8", "shape": [1099511627776]}]}',
        '{"arrays": [{"dtype": "no dtype", "shape": [1]}]}',
        '{"arrays": [{"dtype": "int8", "shape": [1.5]}]}',
    ],
)
def test_a_worker_that_has_been_taken_over_sends_what_it_likes(line):
    with pytest.raises(EOFError, match="something else"):
        receive_message(io.BytesIO(line.encode() + b"\n" + bytes(64)))
