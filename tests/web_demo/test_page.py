"""The page in Chromium and in Firefox: the tests of `web_demo/e2e`, against what Python computes of the same files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from keras_segformer.cli import main
from keras_segformer.cli.web_server import FolderServer
from keras_segformer.runtime import TFLiteRunner
from outside_modules import load_module

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "web_demo"
PICTURE = ROOT / "docs/street.jpg"


@pytest.fixture(scope="module")
def page() -> Path:
    """The page as the Makefile builds it."""
    made = subprocess.run(
        ["make", "keras_segformer/web_page/index.html"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if made.returncode:
        reason = f"the page cannot be built: {made.stdout[-2000:]}{made.stderr[-1000:]}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return ROOT / "keras_segformer/web_page"


def program(name: str) -> str:
    """The path of a browser of the system."""
    path = shutil.which(name)
    if path is None:
        reason = f"there is no {name}, which Debian has in {name}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path


@pytest.fixture(scope="module")
def golden_frames() -> ModuleType:
    """The rule of preprocessing that Python, the Android app and the page share."""
    return load_module(ROOT / "android_demo/tools/golden_frames.py")


def test_unit_tests_of_the_page(page):
    subprocess.run(["make", "test-web"], cwd=ROOT, check=True)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_another_build_has_the_same_bytes(page: Path, tmp_path: Path):
    node = ROOT / ".venv-web/bin/node"
    command = [node, "node_modules/.bin/vite", "build", "--outDir", tmp_path / "page"]
    subprocess.run(command, cwd=DEMO, capture_output=True, check=True)
    assert contents(tmp_path / "page") == contents(page)


def test_terms_of_what_is_in_the_page_are_in_it(page: Path):
    licences = (page / "LICENSES.txt").read_text(encoding="utf-8")
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").strip() in licences
    for package in json.loads((DEMO / "package.json").read_text())["dependencies"]:
        assert f"- {package} " in licences


@pytest.fixture(scope="module")
def facts(page: Path, golden_frames: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the browsers get, and what Python says of it, while the page is served."""
    folder = tmp_path_factory.mktemp("page")
    site, small = folder / "site", folder / "small"
    assert make_site(page, site) == 0
    assert make_site(page, small, "--size", "128", "--precision", "float16", "--name", "small") == 0
    with FolderServer(site, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {
            "url": server.url,
            "picture": str(PICTURE),
            "video": write_video(folder / "street.y4m"),
            "labels": write_labels(golden_frames, site / "models/b0_camvid.tflite", folder / "labels"),
            "small": {
                "tflite": str(small / "models/small.tflite"),
                "json": str(small / "models/small.json"),
                "labels": write_labels(golden_frames, small / "models/small.tflite", folder / "labels_small"),
            },
        }
        server.shutdown()


@pytest.mark.parametrize(("browser", "command"), [("chromium", "chromium"), ("firefox", "firefox-esr")])
def test_page_in_a_browser(browser: str, command: str, facts: dict[str, Any], tmp_path: Path):
    programs = {"chromium": "", "firefox": ""} | {browser: program(command)}
    (tmp_path / "facts.json").write_text(json.dumps(facts | programs))
    node = ROOT / ".venv-web/bin/node"
    environment = os.environ | {"WEB_DEMO_FACTS": str(tmp_path / "facts.json")}
    tests = [node, "node_modules/.bin/playwright", "test", "--project", browser, "--output", tmp_path / "results"]
    assert subprocess.run(tests, cwd=DEMO, env=environment, check=False).returncode == 0


def make_site(page: Path, folder: Path, *options: str) -> int:
    return main(["web", "--preset", "b0_camvid", "--page", str(page), "--output", str(folder), *options])


def write_labels(golden_frames: ModuleType, file: Path, target: Path) -> str:
    """Writes the labels that the interpreter gives for the picture, as int32."""
    runner = TFLiteRunner(file.read_bytes())
    _, height, width, _ = runner.inputs[0].shape
    with Image.open(PICTURE) as picture:
        rgba = picture.convert("RGBA")
    factor = 1
    while rgba.width / (2 * factor) >= width and rgba.height / (2 * factor) >= height:
        factor *= 2
    pixels = np.asarray(rgba.reduce(factor))
    geometry = golden_frames.Geometry((pixels.shape[1], pixels.shape[0]), (width, height), 0, False, "FIT")
    image = golden_frames.picture_to_input(pixels, geometry).astype(np.float32)
    [labels] = runner(image[np.newaxis])
    np.asarray(labels, "<i4").tofile(target)
    return str(target)


def write_video(path: Path) -> str:
    """Writes what the fake camera films, in YUV 4:2:0: the street, which moves to the left."""
    size = (640, 360)
    with Image.open(PICTURE) as picture:
        street = picture.convert("RGB").resize((720, 404))
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F60:1 Ip A1:1 C420jpeg\n" % size)
        for left in range(0, 80, 4):
            part = street.crop((left, 20, left + size[0], 20 + size[1]))
            luma, *chroma = (np.asarray(plane) for plane in part.convert("YCbCr").split())
            halves = [plane.reshape(180, 2, 320, 2).mean((1, 3)).astype(np.uint8) for plane in chroma]
            file.write(b"FRAME\n" + b"".join(plane.tobytes() for plane in (luma, *halves)))
    return str(path)
