"""`keras-segformer predict` on videos and addresses."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av", reason="the extra `video` is not installed")

from keras_segformer.cli import main
from keras_segformer.segformer import SegFormer
from tflite_files import convert
from tiny import light_segmenter
from video_files import pictures, read_video, write_video


@pytest.fixture(scope="module")
def model() -> SegFormer:
    keras.utils.set_random_seed(0)
    return light_segmenter()


@pytest.fixture(autouse=True)
def loaded(model, monkeypatch):
    """The model stands in for the preset; and the program must not set the variable for the tests behind this one."""
    monkeypatch.setattr(SegFormer, "from_preset", lambda name: model)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A video with sound, a picture, and another file."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_video(folder / "street.mp4", sound="aac")
    Image.fromarray(pictures()[0]).save(folder / "street.png")
    (folder / "notes.txt").write_text("neither")
    return folder


@pytest.fixture
def server(folder) -> Iterator[str]:
    """The address of a server of the folder."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def predict(*arguments: object, output: Path) -> int:
    return main(["predict", *map(str, arguments), "--preset", "light", "--output", str(output), "--size", "native"])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_folder_of_pictures_and_videos(folder, model, tmp_path, capsys):
    assert predict(folder, "--mask", "--json", "--csv", tmp_path / "areas.csv", output=tmp_path / "out") == 0
    expected = {"street_segmented.png", "street_mask.png", "street.json"}
    expected |= {"street_2_segmented.mp4", "street_2_mask.mkv", "street_2.json"}
    assert names(tmp_path / "out") == expected
    captured = capsys.readouterr()
    assert "left aside" in captured.err
    assert "street.mp4" not in captured.err
    assert "10 frames segmented into" in captured.out
    labels = read_video(tmp_path / "out/street_2_mask.mkv", "gray")
    frames = read_video(folder / "street.mp4")
    for index in (0, 9):
        np.testing.assert_array_equal(labels[index], model.segment(frames[index], size="native"))
    facts = json.loads((tmp_path / "out/street_2.json").read_text())
    assert (facts["frames"], facts["broken"], facts["height"]) == (10, [], 48)
    assert sum(each["share"] for each in facts["classes"]) == pytest.approx(1)
    assert 0 <= facts["flicker"] <= 1
    assert f"{folder / 'street.mp4'},48,64," in (tmp_path / "areas.csv").read_text()


def test_options_of_videos(folder, tmp_path, capsys):
    options = ("--every", 2, "--start", "0.2", "--stop", "0:0.8", "--beside", "--steady")
    assert predict(folder / "street.mp4", *options, output=tmp_path / "out") == 0
    frames = read_video(tmp_path / "out/street_segmented.mp4")
    assert (len(frames), frames[0].shape) == (3, (48, 128, 3))
    left = frames[0][:, :64].astype(int)
    assert np.abs(left - read_video(folder / "street.mp4")[2]).mean() < 6
    assert "flicker: " in capsys.readouterr().out


def test_broken_videos_are_named_and_the_others_go_on(folder, tmp_path, capsys):
    (folder / "a.mp4").write_bytes(b"rubbish" * 100)
    assert predict(folder / "*.mp4", output=tmp_path / "out") == 1
    assert names(tmp_path / "out") == {"street_segmented.mp4"}
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "a.mp4' cannot be read as a video" in errors[0]


def test_addresses_of_videos_and_pictures(server, tmp_path, capsys):
    assert predict(f"{server}/street.mp4", f"{server}/street.png", output=tmp_path / "out") == 0
    assert names(tmp_path / "out") == {"street_segmented.png", "street_2_segmented.mp4"}
    assert predict(f"{server}/missing.png", output=tmp_path / "none") == 1
    assert "404" in capsys.readouterr().err


def test_a_tflite_file(folder, tmp_path, capsys):
    images = keras.Input((48, 64, 3), batch_size=1)
    convert(keras.Model(images, keras.layers.Conv2D(5, 4, strides=4)(images)), tmp_path / "light.tflite")
    line = ["predict", str(folder), "--model", str(tmp_path / "light.tflite"), "--output", str(tmp_path / "out")]
    assert main(line) == 0
    assert names(tmp_path / "out") == {"street_segmented.png", "street_2_segmented.mp4"}
    assert main([*line, "--steady"]) == 0
    assert main([*line, "--size", "64"]) == 2


def test_times_in_the_wrong_order(folder, tmp_path, capsys):
    assert predict(folder, "--start", "2", "--stop", "1", output=tmp_path / "out") == 2
    assert "--stop must be later" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [["--start", "1"], ["--stop", "2"], ["--every", "3"], ["--beside"], ["--steady"]],
    ids=lambda each: each[0],
)
def test_options_for_videos_without_one(folder, tmp_path, capsys, option):
    assert predict(folder / "street.png", *option, output=tmp_path / "out") == 2
    assert f"{option[0]} is for videos, and there is none; leave it out" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--coco", "coco.json"), ("--bit-depth", "12")], ids=lambda each: each[0])
def test_options_for_pictures_without_one(folder, tmp_path, monkeypatch, capsys, option):
    monkeypatch.chdir(tmp_path)
    assert predict(folder / "street.mp4", *option, output=tmp_path / "out") == 2
    assert f"{option[0]} is for pictures, and there is none; leave it out" in capsys.readouterr().err


def test_the_extra_is_named(folder, tmp_path, monkeypatch, capsys):
    import sys

    for name in [name for name in sys.modules if name.startswith("keras_segformer.video.") or name == "av"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "keras_segformer.cli.predict_video")
    monkeypatch.setitem(sys.modules, "av", None)
    assert predict(folder / "street.mp4", output=tmp_path / "out") == 2
    assert "pip install 'keras-segformer[video]'" in capsys.readouterr().err
