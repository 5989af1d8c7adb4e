"""`keras-segformer serve`."""

from __future__ import annotations

import concurrent.futures
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
httpx = pytest.importorskip("httpx", reason="the extra `dev` is not installed")

from fastapi.testclient import TestClient  # noqa: E402 - needs the extra

from keras_segformer.cli import main  # noqa: E402
from keras_segformer.cli.serve_app import Limits, make_app  # noqa: E402
from keras_segformer.cli.serve_queue import SegmentQueue  # noqa: E402
from keras_segformer.label_sets import LabelSet  # noqa: E402
from keras_segformer.visualization import overlay  # noqa: E402

LABELS = LabelSet.generic(3)


def thirds(pictures: list[np.ndarray]) -> list[np.ndarray]:
    """The labels of pictures by their red."""
    return [(picture[..., 0] // 86).astype(np.int32) for picture in pictures]


def noise(height: int = 40, width: int = 56) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    return content.getvalue()


@pytest.fixture
def client() -> Iterator[Callable[..., TestClient]]:
    """Makes clients of an application."""
    open_clients = []

    def make(segment=thirds, **limits) -> TestClient:
        made = TestClient(make_app(segment, LABELS, "<tiny>", Limits(**limits)))
        open_clients.append(made.__enter__())
        return made

    yield make
    for each in open_clients:
        each.__exit__(None, None, None)


def post(client, content: bytes, output: str = "mask", name: str = "a.png"):
    return client.post("/segment", params={"output": output}, files={"image": (name, content)})


def test_what_is_answered(client):
    pixels = noise()
    [labels] = thirds([pixels])
    served = client()
    mask = post(served, png(pixels))
    assert (mask.status_code, mask.headers["content-type"]) == (200, "image/png")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(mask.content))), labels)
    picture = np.asarray(Image.open(io.BytesIO(post(served, png(pixels), "overlay").content)))
    np.testing.assert_array_equal(picture, overlay(pixels, labels, LABELS))
    facts = post(served, png(pixels), "json").json()
    assert (facts["height"], facts["width"]) == labels.shape
    assert {each["index"]: each["pixels"] for each in facts["classes"]} == dict(enumerate(np.bincount(labels.ravel())))


def test_pages(client):
    served = client()
    assert served.get("/health").json()["status"] == "ok"
    assert "&lt;tiny&gt;" in served.get("/").text
    assert 'type="file"' in served.get("/").text
    paths = served.get("/openapi.json").json()["paths"]
    assert {"/segment", "/health", "/metrics"} <= paths.keys()
    assert served.get("/docs").status_code == 200
    post(served, png(noise()))
    post(served, b"nothing")
    metrics = served.get("/metrics").text
    assert 'segformer_requests_total{status="200"} 1.0' in metrics
    assert 'segformer_requests_total{status="415"} 1.0' in metrics
    assert "segformer_batch_size_count 1.0" in metrics


HOSTILE = {
    "nothing": (b"", 415),
    "text": (b"GET / HTTP/1.1" * 50, 415),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", 415),
    "cut off": (png(noise())[:900], 422),
    "too many pixels": (png(np.zeros((300, 400, 3), np.uint8)), 413),
    "too many bytes": (png(noise(200, 200)), 413),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pictures_get_4xx(client, case):
    content, status = HOSTILE[case]
    answer = post(client(bytes=60_000, pixels=100_000), content)
    assert answer.status_code == status
    assert "Traceback" not in answer.text


def test_hostile_requests_get_4xx(client):
    served = client(bytes=60_000)
    assert served.post("/segment").status_code == 422
    assert served.post("/segment", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 400
    assert post(served, png(noise()), "everything").status_code == 422
    assert served.get("/segment").status_code == 405

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(1000)

    form = {"content-type": "multipart/form-data; boundary=x"}
    assert served.post("/segment", content=endless(), headers=form).status_code in (400, 413)
    assert served.post("/segment", content=b"", headers=form | {"content-length": "9" * 30}).status_code == 413


def test_a_full_queue_gets_429_and_a_slow_answer_503(client):
    go = threading.Event()

    def slow(pictures: list[np.ndarray]) -> list[np.ndarray]:
        go.wait(20)
        return thirds(pictures)

    served = client(slow, queue=1, batch=1, seconds=0.3)
    with concurrent.futures.ThreadPoolExecutor(6) as executor:
        answers = [executor.submit(post, served, png(noise())) for _ in range(6)]
        statuses = {answer.result().status_code for answer in answers}
    go.set()
    assert statuses == {429, 503}
    assert post(served, png(noise())).status_code in (200, 429, 503)


def test_a_model_that_fails_harms_no_other_picture(client):
    def picky(pictures: list[np.ndarray]) -> list[np.ndarray]:
        if any(picture.shape[0] == 41 for picture in pictures):
            raise ValueError("the logits are not finite")
        return thirds(pictures)

    served = TestClient(make_app(picky, LABELS, "picky", Limits()), raise_server_exceptions=False)
    with served, concurrent.futures.ThreadPoolExecutor(6) as executor:
        answers = [executor.submit(post, served, png(noise(height))) for height in (40, 41, 42, 43, 41, 44)]
        assert [answer.result().status_code for answer in answers] == [200, 500, 200, 200, 500, 200]


def test_what_waits_is_taken_together():
    sizes, go = [], threading.Event()

    def segment(pictures: list[np.ndarray]) -> list[np.ndarray]:
        go.wait(20)
        return thirds(pictures)

    waiting = SegmentQueue(segment, limit=20, batch=4, on_batch=sizes.append)
    futures = [waiting.submit(noise())]
    while not sizes:
        time.sleep(0.005)
    futures += [waiting.submit(noise(40 + index)) for index in range(6)]
    futures[2].cancel()
    go.set()
    waiting.close()
    assert sizes == [1, 3, 2]
    for index, future in enumerate(futures[1:]):
        if index != 1:
            np.testing.assert_array_equal(future.result(), thirds([noise(40 + index)])[0])


def test_a_port_that_is_taken_is_named(capsys, monkeypatch):
    import socket

    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--preset", "any", "--port", str(taken.getsockname()[1])]) == 2
    assert "choose another --host or --port" in capsys.readouterr().err


@pytest.mark.slow
def test_eight_clients_lose_nothing():
    """A real server with the bundled preset, ended while clients wait."""
    code = "import sys; sys.argv[0] = 'keras-segformer'; from keras_segformer.cli import main; sys.exit(main())"
    arguments = ["serve", "--preset", "b0_camvid", "--port", "0", "--size", "64", "--queue", "16"]
    server = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+", server.stdout.readline())[0]

        def ask(number: int) -> list[int]:
            statuses = []
            with httpx.Client(base_url=address, timeout=60) as client:
                for _ in range(8):
                    answer = post(client, png(noise(40 + number)))
                    statuses.append(answer.status_code)
                    if answer.status_code == 200:
                        assert Image.open(io.BytesIO(answer.content)).size == (56, 40 + number)
            return statuses

        with concurrent.futures.ThreadPoolExecutor(8) as executor:
            statuses = [status for answers in executor.map(ask, range(8)) for status in answers]
        assert statuses == [200] * 64
        counted = httpx.get(f"{address}/metrics").text
        assert f'segformer_requests_total{{status="200"}} {float(len(statuses))}' in counted
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) in (0, -signal.SIGTERM)
    finally:
        if server.poll() is None:
            os.kill(server.pid, signal.SIGKILL)
        server.stdout.close()
