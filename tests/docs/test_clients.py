"""The pages' Python that needs a server or a file beside it."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from keras_segformer import SegFormer
from keras_segformer.cli import main
from keras_segformer.conversion import convert, export_savedmodel
from pages import CLIENTS, ROOT
from tiny import tiny_config
from video_files import pictures, write_video

ELSEWHERE = {
    "docs/scale.md": 3,  # tests/scale
    "conversion/README.md": 2,  # MediaPipe and the Task Library: tests/conversion/clients
}
"""Blocks that other tests stand for, by page."""
HERE = ["docs/server.md", "docs/serve.md", "docs/video.md", "conversion/README.md"]


def code_of(page: str, word: str) -> str:
    """The block of a page with this word."""
    [code] = [block.code for block in CLIENTS if block.page == page and word in block.code]
    return code


def run(code: str, **names: Any) -> dict[str, Any]:
    exec(compile(code, "page", "exec"), names)
    return names


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the pages' photograph."""
    shutil.copyfile(ROOT / "docs/street.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_is_run_somewhere():
    counts = {page: sum(block.page == page for block in CLIENTS) for page in {block.page for block in CLIENTS}}
    assert counts == {page: (page in HERE) + ELSEWHERE.get(page, 0) for page in {*HERE, *ELSEWHERE}}


@pytest.mark.slow
def test_labels_of_a_video(desk):
    pytest.importorskip("av")
    SegFormer(tiny_config(num_classes=3)).save_to_preset("preset")
    write_video(desk / "street.mp4", pictures(3))
    assert main(["predict", "street.mp4", "--preset", "preset", "--output", "out", "--mask"]) == 0
    assert run(code_of("docs/video.md", "av.open"))["labels"].shape == (48, 64)


@pytest.mark.slow
def test_a_resizable_file(desk):
    pytest.importorskip("ai_edge_litert")
    model = SegFormer(tiny_config(num_classes=3))
    convert(model, desk / "b0_resizable.tflite", input_size=(64, 64), resizable=True, report=False)
    interpreter = run(code_of("conversion/README.md", "resize_tensor_input"))["interpreter"]
    interpreter.invoke()
    [labels] = interpreter.get_output_details()
    assert list(labels["shape"]) == [1, 120, 160]


@pytest.mark.slow
def test_a_client_of_the_server(desk, capsys):
    pytest.importorskip("fastapi")
    code = "import sys; from keras_segformer.cli import main; sys.exit(main())"
    arguments = ["serve", "--preset", "b0_camvid", "--port", "0", "--size", "64"]
    server = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://[^\s/]+", server.stdout.readline())[0]
        run(code_of("docs/server.md", "httpx").replace("http://127.0.0.1:8000", address))
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()
    assert "Road" in capsys.readouterr().out


@contextlib.contextmanager
def tensorflow_serving(folder: str) -> Iterator[str]:
    """A server with the REST interface of TensorFlow Serving, as far as the page uses it."""
    signatures = tf.saved_model.load(folder).signatures

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/models/segformer:predict"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            inputs = {
                name: tf.constant([base64.b64decode(value["b64"]) for value in values])
                for name, values in body["inputs"].items()
            }
            outputs = signatures[body["signature_name"]](**inputs)
            answer = json.dumps({"outputs": {name: value.numpy().tolist() for name, value in outputs.items()}})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *values: object) -> None:
            """Stays silent."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_a_client_of_tensorflow_serving(desk):
    model = SegFormer(tiny_config(num_classes=3))
    export_savedmodel(model, desk / "models/segformer/1")
    with tensorflow_serving("models/segformer/1") as address:
        code = code_of("docs/serve.md", "urllib").replace("http://localhost:8501", address)
        labels = run(code, Path=Path)["labels"]
    assert labels == model.segment("photo.jpg").tolist()
