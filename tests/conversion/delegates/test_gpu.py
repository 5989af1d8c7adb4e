"""The GPU delegate of LiteRT (ML Drift) on a software device of Vulkan."""

from __future__ import annotations

import ctypes.util
from pathlib import Path

import numpy as np
import pytest

from keras_segformer.conversion import convert
from keras_segformer.conversion.audit import audit
from keras_segformer.conversion.tflite.reader import read_tflite

pytestmark = pytest.mark.slow

DEVICES = [
    Path(folder) / "vk_swiftshader_icd.json"
    for folder in ("/usr/lib/chromium", "/opt/google/chrome", "/usr/lib64/chromium")
]


@pytest.fixture(scope="module")
def on_gpu(run_script, skip_or_fail, tmp_path_factory):
    """Runs a file on the GPU alone."""
    device = next((path for path in DEVICES if path.is_file()), None)
    if device is None or ctypes.util.find_library("vulkan") is None:
        skip_or_fail("there is no software device of Vulkan, which Debian has in chromium and libvulkan1")
    folder = tmp_path_factory.mktemp("gpu")

    def run(file, images):
        np.save(folder / "images.npy", images)
        env = {"VK_ICD_FILENAMES": device, "XDG_RUNTIME_DIR": folder}
        run_script("gpu.py", file, folder / "images.npy", folder / "outputs.npy", env=env)
        return np.load(folder / "outputs.npy")

    return run


@pytest.mark.parametrize(
    ("precision", "input", "least"),
    [
        ("float32", "float32", 0.999),
        ("float16", "float32", 0.999),
        ("float16", "uint8", 0.999),
        ("dynamic", "float32", 0.99),
        ("int8_npu", "uint8", 0.99),
    ],
)
def test_same_labels(precision, input, least, file_of, images, on_gpu, on_cpu):
    file = file_of(precision, input)
    expected = on_cpu(file, images)
    assert len(np.unique(expected)) >= 4
    agreement = np.mean(on_gpu(file, images) == expected)
    print(f"{precision} of {input}: GPU and CPU agree on {agreement:.4f} of the labels")
    assert agreement >= least
    [verdict] = audit(file.read_bytes(), ["gpu"]).verdicts
    assert verdict.passes


def test_int8_file_is_in_integers(file_of):
    """The file that runs on the GPU above computes in integers."""
    nodes = read_tflite(file_of("int8_npu", "uint8").read_bytes()).nodes
    integers = [node for node in nodes if node.name in ("CONV_2D", "BATCH_MATMUL") and node.outputs[0].type == "INT8"]
    assert len(integers) >= 60


def test_partial_delegation_fails(tiny, photograph, on_gpu, tmp_path):
    """So that the tests above show that nothing was left to the CPU."""
    pictures = [photograph(64, 64)[0] + shift for shift in np.arange(4, dtype=np.uint8)]
    convert(tiny, tmp_path / "m.tflite", "int16x8", (64, 64), calibration=pictures, report=False, tiles=False)
    with pytest.raises(RuntimeError, match=r"gpu\.py ended with"):
        on_gpu(tmp_path / "m.tflite", np.stack(pictures[:1]))
