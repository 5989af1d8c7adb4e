"""`keras-segformer web`: which files it writes, how the model is converted for the browser, and how it is served."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from pathlib import Path
from typing import Any

import keras
import pytest

from keras_segformer.cli import main, web
from keras_segformer.cli.web_server import FolderServer
from keras_segformer.segformer import SegFormer
from tiny import save_light_preset


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "light"
    save_light_preset(folder)
    return folder


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """What the build leaves, in small."""
    folder = tmp_path / "page"
    for name in ("index.html", "sw.js", "litert/litert.js", "assets/app.js", "LICENSES.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def conversions(monkeypatch) -> list[dict[str, Any]]:
    """What `convert` was asked for; the files are small fakes."""
    calls = []

    def convert(model: SegFormer, path: Path, **options: Any) -> dict[str, Any]:
        calls.append(options)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"model")
        license = {"name": "CC-BY-NC-4.0", "url": "https://example.org/nc", "non_commercial": True}
        facts = {"bytes": 5, "license": license if path.stem == "second" else None}
        path.with_suffix(".json").write_text(json.dumps(facts))
        return facts

    monkeypatch.setattr(web, "convert", convert)
    return calls


def run(preset: Path, page: Path, output: Path, *options: str) -> int:
    return main(["web", "--preset", str(preset), "--page", str(page), "--output", str(output), *options])


def test_folder_has_the_page_and_its_models(preset, page, conversions, tmp_path, capsys):
    site = tmp_path / "site"
    assert run(preset, page, site) == 0
    assert run(preset, page, site, "--name", "second", "--precision", "float16", "--size", "64x96") == 0
    written = {file.relative_to(site).as_posix() for file in site.rglob("*") if file.is_file()}
    models = {f"models/{stem}.{suffix}" for stem in ("light", "second") for suffix in ("tflite", "json")}
    built = {file.relative_to(page).as_posix() for file in page.rglob("*") if file.is_file()}
    assert written == models | built | {"models/index.json", "models/LICENSE.md"}
    assert json.loads((site / "models/index.json").read_text()) == {"models": ["second", "light"]}
    terms = (site / "models/LICENSE.md").read_text()
    assert "- second: [CC-BY-NC-4.0](https://example.org/nc), not for commercial use" in terms
    assert "- light: not stated" in terms
    assert "the page, with second" in capsys.readouterr().out
    assert [(call["precision"], call["input_size"]) for call in conversions] == [
        ("dynamic", (512, 512)),
        ("float16", (64, 96)),
    ]
    assert {call["input"] for call in conversions} == {"float32"}  # LiteRT.js takes no integers


def test_models_without_descriptions_are_not_listed(preset, page, conversions, tmp_path):
    (tmp_path / "site/models").mkdir(parents=True)
    (tmp_path / "site/models/stray.tflite").touch()
    assert run(preset, page, tmp_path / "site") == 0
    assert json.loads((tmp_path / "site/models/index.json").read_text()) == {"models": ["light"]}


def test_folder_that_is_not_the_page(preset, conversions, tmp_path, capsys):
    (tmp_path / "page").mkdir()
    assert run(preset, tmp_path / "page", tmp_path / "site") == 2
    assert "is not the built page; leave --page out" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
    assert not conversions


def test_page_that_was_not_built(preset, conversions, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(web, "_PAGE", tmp_path / "web_page")
    assert main(["web", "--preset", str(preset), "--output", str(tmp_path / "site")]) == 2
    assert "installed without the page" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
    assert not conversions


def test_page_of_the_package(preset, page, conversions, tmp_path, monkeypatch):
    monkeypatch.setattr(web, "_PAGE", page)
    assert main(["web", "--preset", str(preset), "--output", str(tmp_path / "site")]) == 0
    assert (tmp_path / "site/index.html").is_file()


def test_server_isolates_the_page(page):
    with FolderServer(page, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=10)
        for path, status, kind in (("/", 200, "text/html"), ("/sw.js", 200, "text/javascript"), ("/no", 404, None)):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
            assert answer.getheader("Cross-Origin-Opener-Policy") == "same-origin"
            assert answer.getheader("Cross-Origin-Embedder-Policy") == "require-corp"
            assert kind is None or answer.getheader("Content-Type") == kind
        server.shutdown()


def test_port_that_is_taken(page):
    with FolderServer(page, "127.0.0.1", 0) as server, pytest.raises(OSError, match="choose another --host or --port"):
        FolderServer(page, "127.0.0.1", server.server_address[1])


def test_an_address_that_is_taken_is_found_out_before_the_work(page, preset, conversions, tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = ("--serve", "--port", str(taken.getsockname()[1]))
        assert run(preset, page, tmp_path / "site", *options) == 2
    assert "choose another --host or --port" in capsys.readouterr().err
    assert not conversions


@pytest.mark.parametrize("option", ["--host=0.0.0.0", "--port=0"])
def test_an_address_without_a_server_is_refused(page, preset, conversions, tmp_path, capsys, option):
    assert run(preset, page, tmp_path / "site", option) == 2
    assert "--host and --port are for --serve" in capsys.readouterr().err
    assert not conversions
