"""Tries the built wheel as a stranger would: alone in new environments, without the source tree.

make dist try-wheel                                        # every Python 3.11 to 3.13 that is installed
python tools/try_wheel.py dist/*.whl --python python3.12   # one of them
python tools/try_wheel.py dist/*.whl --extras              # instead, each extra alone, on the first

pip makes the environments, or uv where it is installed: it is many times faster.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

PYTHONS = ("python3.11", "python3.12", "python3.13")
PICTURE = Path(__file__).parents[1] / "docs/street.jpg"

# For work on the package itself: `make test` installs and uses it.
_DEVELOPMENT = {"dev"}

_TRAINING = """
import numpy as np
from keras_segformer import SegFormer

model = SegFormer.from_preset("b0_camvid", num_classes=2)
model.compile()
masks = np.zeros((4, 64, 64), np.uint8)
masks[:, 16:48] = 1
images = np.repeat(masks[..., None] * np.uint8(200), 3, axis=-1)
history = model.fit(images, masks, batch_size=2, epochs=1, verbose=0).history
assert np.isfinite(history["loss"]).all()
model.save_to_preset("trained")
print(*history)
"""

_IMPORTS = """
import importlib, sys
from importlib.metadata import packages_distributions, requires
from packaging.requirements import Requirement


def normal(name):
    return name.lower().replace("_", "-")


wanted = {
    normal(each.name)
    for each in map(Requirement, requires("keras-segformer"))
    if each.marker and "extra" in str(each.marker) and each.marker.evaluate({"extra": sys.argv[1]})
}
modules = sorted(
    module
    for module, names in packages_distributions().items()
    if not module.startswith("_") and module.isidentifier() and set(map(normal, names)) & wanted
)
assert modules or wanted <= {"keras-segformer"}, wanted
import keras_segformer
for module in modules:
    importlib.import_module(module)
print(*modules)
"""


class Environment:
    """A new environment that holds the wheel and what it asks for."""

    def __init__(self, python: str, wheel: Path, folder: Path, extra: str | None = None):
        self.folder = folder
        self.python = folder / "venv/bin/python"
        requirement = f"{wheel}[{extra}]" if extra else str(wheel)
        if shutil.which("uv"):
            run(["uv", "venv", "--quiet", "--python", python, str(folder / "venv")], folder)
            there = ("--quiet", "--python", str(self.python))
            run(["uv", "pip", "install", *there, requirement, "packaging"], folder)
            run(["uv", "pip", "check", *there], folder)
        else:
            run([python, "-m", "venv", str(folder / "venv")], folder)
            self.run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement, "packaging")
            self.run("-m", "pip", "check")

    def run(self, *arguments: str) -> str:
        return run([str(self.python), *arguments], self.folder)

    def command(self, *arguments: str) -> str:
        return run([str(self.python.parent / "keras-segformer"), *arguments], self.folder)


def run(command: list[str], folder: Path) -> str:
    """The standard output of a command.

    Args:
        command: Program and arguments.
        folder: Where it runs; nothing of the checkout is on its path.

    Returns:
        What it printed.

    Raises:
        SystemExit: It failed; its output is in the message.
    """
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {answer.returncode}:\n{answer.stdout}{answer.stderr}")
    return answer.stdout


def steps(environment: Environment) -> Iterator[tuple[str, str]]:
    """What a stranger does first.

    Args:
        environment: Holds the wheel.

    Yields:
        Name and result of each step, when it has passed.
    """
    yield "import", environment.run("-c", "import keras_segformer; print(keras_segformer.__version__)").strip()
    commands = re.findall(r"^ {4}([a-z]+)", environment.command("--help"), re.MULTILINE)
    for command in commands:
        environment.command(command, "--help")
    yield "help", f"{len(commands)} commands"
    shutil.copy(PICTURE, environment.folder)
    segment = ("predict", PICTURE.name, "--output")
    environment.command(*segment, "keras", "--preset", "b0_camvid", "--mask")
    yield "segment", digest(environment.folder / "keras")
    yield "train two steps", environment.run("-c", _TRAINING).strip()
    environment.command("convert", "--preset", "b0_camvid", "--input-size", "128", "--output", "b0.tflite")
    environment.command(*segment, "tflite", "--model", "b0.tflite", "--mask")
    yield "convert, and segment with the file", digest(environment.folder / "tflite")
    environment.command("web", "--preset", "b0_camvid", "--size", "128", "--output", "site")
    files = [file for file in (environment.folder / "site").rglob("*") if file.is_file()]
    yield "page for browsers", f"{len(files)} files of {sum(file.stat().st_size for file in files) / 1e6:.1f} MB"


def digest(folder: Path) -> str:
    """SHA-256 of the label map in a folder, shortened."""
    [mask] = folder.rglob("*mask*.png")
    return hashlib.sha256(mask.read_bytes()).hexdigest()[:12]


def extras_of(wheel: Path) -> list[str]:
    """The names that a wheel provides.

    Args:
        wheel: The file.

    Returns:
        The extras that are for users.
    """
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    return [name for name in metadata.get_all("Provides-Extra", []) if name not in _DEVELOPMENT]


def main() -> None:
    """Reads the arguments, and tries what they name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="the built wheel")
    parser.add_argument("--python", action="append", help="an interpreter; by default, every supported one there is")
    parser.add_argument("--extras", action="store_true", help="install each extra alone, and import what it brings")
    options = parser.parse_args()
    wheel = options.wheel.resolve()
    pythons = options.python or [name for name in PYTHONS if is_there(name)]
    if not pythons:
        raise SystemExit(f"None of {', '.join(PYTHONS)} is installed; install one, or name one with --python.")
    if options.extras:
        try_extras(wheel, pythons[0])
    else:
        try_steps(wheel, pythons)


def try_steps(wheel: Path, pythons: list[str]) -> None:
    """Does what a stranger does first, and prints a JSON of what was found.

    Args:
        wheel: The file.
        pythons: Interpreters.

    Raises:
        SystemExit: Something failed, or the results differ.
    """
    found: dict[str, dict[str, str]] = {}
    for python in pythons:
        found[python] = {}
        with tempfile.TemporaryDirectory() as folder:
            environment = Environment(python, wheel, Path(folder))
            start = time.monotonic()
            for name, result in steps(environment):
                found[python][name] = result
                print(f"{python}: {name}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
                start = time.monotonic()
    print(json.dumps(found))
    masks = {results["segment"] for results in found.values()}
    if len(masks) > 1:
        raise SystemExit("The label maps differ between the versions of Python.")


def try_extras(wheel: Path, python: str) -> None:
    """Installs each extra alone, and imports everything that it asks for.

    Args:
        wheel: The file.
        python: An interpreter.

    Raises:
        SystemExit: Some extras failed; all are tried.
    """
    failed = []
    for extra in extras_of(wheel):
        start = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as folder:
                result = "imports " + Environment(python, wheel, Path(folder), extra).run("-c", _IMPORTS, extra).strip()
        except SystemExit as error:
            failed.append(extra)
            result = str(error)
        print(f"{python}: [{extra}]: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    if failed:
        raise SystemExit(f"These extras failed: {', '.join(failed)}.")


def is_there(python: str) -> bool:
    """Whether an interpreter runs; version managers leave names that do not."""
    if not shutil.which(python):
        return False
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
