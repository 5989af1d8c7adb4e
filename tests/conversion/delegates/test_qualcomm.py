"""Qualcomm's compiler for the NPUs of Snapdragon 8 Gen 2 and 3, and the emulator of the NPU."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

from keras_segformer.conversion.audit import audit

pytestmark = pytest.mark.slow

CHIPS = ("SM8550", "SM8650")
PACKAGES = ("onnxruntime-qnn==2.7.0", "onnxruntime==1.32.0", "onnx==1.23.2")


@pytest.fixture(scope="module")
def qualcomm(install, skip_or_fail):
    """The environment variables of scripts that use Qualcomm's libraries."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        skip_or_fail("Qualcomm's compiler is for Linux on x86-64")

    def fill(folder):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *PACKAGES]
        subprocess.run(command, check=True, capture_output=True, text=True)
        # LiteRT's plugin names a library that the package leaves out, and calls nothing in it: any other will do.
        (folder / "onnxruntime_qnn/libQnnLpai.so").symlink_to("libQnnSystem.so")

    folder = install("qualcomm", [*PACKAGES, platform.python_version()], fill)
    libraries = [folder / "onnxruntime_qnn", folder / "onnxruntime_qnn.libs"]
    return {"PYTHONPATH": folder, "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))}


@pytest.fixture(scope="module")
def compiled(qualcomm, run_script, tmp_path_factory):
    """Compiles a file for chips."""

    def compile(file, chips):
        folder = tmp_path_factory.mktemp("compiled")
        return json.loads(run_script("qualcomm_compile.py", file, folder, *chips, env=qualcomm).splitlines()[-1])

    return compile


@pytest.mark.parametrize(("precision", "input"), [("int8_npu", "uint8"), ("float16", "float32"), ("float32", "uint8")])
def test_all_operations_in_one_partition(precision, input, file_of, compiled):
    file = file_of(precision, input)
    for chip, found in compiled(file, CHIPS).items():
        print(f"{precision}, {chip}: {found['taken']} of {found['operations']} in {found['partitions']}")
        assert found["taken"] == found["operations"]
        assert found["partitions"] == 1
    [verdict] = audit(file.read_bytes(), ["qualcomm-htp"]).verdicts
    assert verdict.passes


def test_audit_knows_what_falls_back(file_of, compiled):
    file = file_of("dynamic", "uint8")
    [found] = compiled(file, CHIPS[:1]).values()
    [verdict] = audit(file.read_bytes(), ["qualcomm-htp"]).verdicts
    [finding] = verdict.findings
    assert finding.operator == "CONV_2D"
    assert found["operations"] - found["taken"] == len(finding.places) > 0


@pytest.mark.parametrize(("precision", "input", "least"), [("int8_npu", "uint8", 0.985), ("float32", "float32", 0.995)])
def test_same_labels_on_the_emulator(
    precision, input, least, file_of, images, compiled, qualcomm, run_script, on_cpu, tmp_path
):
    file = file_of(precision, input)
    [found] = compiled(file, CHIPS[:1]).values()
    np.save(tmp_path / "images.npy", images)
    run_script("qualcomm_emulator.py", found["file"], tmp_path / "images.npy", tmp_path / "labels.npy", env=qualcomm)
    agreement = np.mean(np.load(tmp_path / "labels.npy") == on_cpu(file, images))
    print(f"{precision}: NPU and CPU agree on {agreement:.4f} of the labels")
    assert agreement >= least
