"""The kernels for ARM CPUs, in an emulated Cortex-A76."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest

from keras_segformer.conversion.tflite.half import with_half_hint
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.ops import predicted_labels

pytestmark = pytest.mark.slow

# Kernels for ARM round products by other rules than those for x86: by one step each, which add up over the layers of
# `int8_npu`. A wrong kernel moves logits by dozens of steps.
MANY_STEPS = 2
MAX_SHARE = 0.005
# Debian's Python for ARM and what it is linked to, in folders of their own: nothing of it touches the system.
LIBRARIES = ("libc6", "libgcc-s1", "libstdc++6", "libexpat1", "zlib1g", "libffi8", "libbz2-1.0", "liblzma5", "libssl3")
# With `max` as the CPU the emulator's INT8 products are wrong.
CPU = "cortex-a76"
PROCESSOR = """processor\t: {number}
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0b
CPU revision\t: 1

"""


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def fetch_debian(folder):
    """Unpack Debian's packages for ARM into `folder`/root; returns the version of their Python."""
    state, downloads, root = folder / "apt", folder / "packages", folder / "root"
    for each in (state / "lists/partial", state / "cache/archives/partial", downloads, root / "proc"):
        each.mkdir(parents=True)
    (state / "status").touch()
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Dir::Cache": state / "cache",
        "Dir::State": state,
        "Dir::State::Lists": state / "lists",
        "Dir::State::status": state / "status",
    }
    apt = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in options.items())]
    run(*apt, "update")
    depends = run("apt-cache", *apt[1:], "depends", "--important", "python3-minimal")
    [python] = {line.split()[-1] for line in depends.splitlines() if "python3." in line}
    names = (python, f"lib{python}", f"lib{python.removesuffix('-minimal')}-stdlib", *LIBRARIES)
    run(*apt, "download", *names, cwd=downloads)
    for package in downloads.iterdir():
        run("dpkg-deb", "--extract", package, root)
    # The interpreter asks which CPU there is, and would be told of the one outside of the emulator.
    (root / "proc/cpuinfo").write_text("".join(PROCESSOR.format(number=number) for number in range(2)))
    return python.removesuffix("-minimal").removeprefix("python")


def fetch_wheels(folder, version, wheels):
    """Unpack wheels for ARM, and what they need, into `folder`/wheels."""
    platforms = [f"--platform=manylinux{each}_aarch64" for each in ("2014", "_2_27", "_2_28")]
    options = ["--quiet", "--no-compile", "--only-binary=:all:", f"--python-version={version}", *platforms]
    run(sys.executable, "-m", "pip", "install", *options, "--target", folder / "wheels", *wheels)


@pytest.fixture(scope="module")
def on_arm(install, need_command, run_script, tmp_path_factory):
    """Runs a file on the emulated CPU."""
    emulator = need_command("qemu-aarch64-static", "qemu-user-static")
    need_command("apt-get", "apt")
    wheels = [f"ai-edge-litert=={importlib.metadata.version('ai-edge-litert')}", "numpy"]

    def fill(folder):
        fetch_wheels(folder, fetch_debian(folder), wheels)

    environment = install("arm", [*LIBRARIES, *wheels, PROCESSOR], fill)
    [program] = (environment / "root/usr/bin").glob("python3.*")
    folder = tmp_path_factory.mktemp("arm")

    def run(file, images):
        np.save(folder / "images.npy", images)
        python = [emulator, "-L", environment / "root", "-cpu", CPU, program]
        arguments = (file, folder / "images.npy", folder / "outputs.npy")
        run_script("interpreter.py", *arguments, python=python, env={"PYTHONPATH": environment / "wheels"})
        return np.load(folder / "outputs.npy")

    return run


@pytest.mark.parametrize("precision", ["int8", "int8_npu"])
def test_integers_within_some_steps(precision, file_of, images, on_arm, on_cpu):
    file = file_of(precision, "uint8", "logits")
    last = read_tflite(file.read_bytes()).nodes[-1]
    assert last.name == "DEQUANTIZE"
    [step] = last.inputs[0].scales
    actual, expected = on_arm(file, images), on_cpu(file, images)
    steps = np.round(np.abs(actual - expected) / step)
    share = np.mean(steps > MANY_STEPS)
    agreement = np.mean(predicted_labels(actual) == predicted_labels(expected))
    print(
        f"{precision}: ARM is {steps.max():.0f} steps from x86 at most, more than {MANY_STEPS} in {share:.5f} of the "
        f"logits, and they agree on {agreement:.4f} of the labels"
    )
    assert share <= MAX_SHARE
    assert steps.max() <= 3 * MANY_STEPS
    assert agreement >= 0.99


def test_float16_where_the_file_allows_it(file_of, images, on_arm, on_cpu, tmp_path):
    file = file_of("float32", "uint8", "logits")
    allowed = tmp_path / "half.tflite"
    allowed.write_bytes(with_half_hint(file.read_bytes()))
    np.testing.assert_array_equal(on_cpu(allowed, images), on_cpu(file, images))  # which has no such arithmetic
    actual, expected = on_arm(allowed, images), on_arm(file, images)
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    agreement = np.mean(predicted_labels(actual) == predicted_labels(expected))
    print(f"float16 changes logits by {error:.1e} of the largest, and keeps {agreement:.4f} of the labels")
    assert 1e-5 < error < 0.05
    assert agreement >= 0.99


@pytest.mark.parametrize(("precision", "least"), [("float16", 0.999), ("dynamic", 0.99)])
def test_same_labels(precision, least, file_of, images, on_arm, on_cpu):
    file = file_of(precision, "uint8")
    agreement = np.mean(on_arm(file, images) == on_cpu(file, images))
    print(f"{precision}: ARM and x86 agree on {agreement:.4f} of the labels")
    assert agreement >= least
