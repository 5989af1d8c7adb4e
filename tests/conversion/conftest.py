"""Models to convert, what they compute, and their files; whatever takes long is made once for all tests."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from filelock import FileLock

from keras_segformer import SegFormer
from keras_segformer.conversion import convert
from keras_segformer.models import SegFormerNetwork
from keras_segformer.runtime import TFLiteRunner
from random_models import CONFIGS, random_model
from tiny import tiny_config


def photograph_of(height: int, width: int) -> np.ndarray:
    """An image `(1, height, width, 3)`, uint8, with patches and noise."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (1, height // 8 + 1, width // 8 + 1, 3))
    image = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return np.clip(image + generator.integers(-20, 21, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Makes a folder of files once for all workers of a test run; a key names what is in it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # where those of all workers are
    (root / "made_once").mkdir(exist_ok=True)

    def make(key: str, write: Callable[[Path], None]) -> Path:
        folder = root / "made_once" / hashlib.sha256(key.encode()).hexdigest()
        with FileLock(f"{folder}.lock"):
            if not folder.exists():
                unfinished = folder.with_suffix(".unfinished")
                unfinished.mkdir(exist_ok=True)
                write(unfinished)
                unfinished.rename(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def preset(made_once) -> str:
    """The preset of a small network."""
    return str(made_once("preset", SegFormer(tiny_config()).save_to_preset))


@pytest.fixture(scope="session")
def converted(made_once) -> Callable[..., tuple[Path, dict[str, Any]]]:
    """Converts a network of `random_models` with the given arguments of `convert`; returns the file and its facts."""

    def get(name: str, **arguments: Any) -> tuple[Path, dict[str, Any]]:
        def write(folder: Path) -> None:
            convert(random_model(name), folder / "m.tflite", **arguments)

        folder = made_once(json.dumps(["convert", name, arguments], sort_keys=True), write)
        return folder / "m.tflite", json.loads((folder / "m.json").read_text(encoding="utf-8"))

    return get


@pytest.fixture(scope="session")
def logits_of(made_once) -> Callable[[str, int, int], np.ndarray]:
    """The logits of a network of `random_models` for `photograph(height, width)`, computed by Keras."""

    def get(name: str, height: int, width: int) -> np.ndarray:
        def write(folder: Path) -> None:
            # Not `predict`, whose compilation would take most of the time.
            logits = random_model(name)(photograph_of(height, width), training=False)
            np.save(folder / "logits.npy", keras.ops.convert_to_numpy(logits))

        return np.load(made_once(json.dumps(["logits", name, height, width]), write) / "logits.npy")

    return get


@pytest.fixture(scope="session", params=CONFIGS)
def model_name(request) -> str:
    """The name of every kind of network."""
    return request.param


@pytest.fixture(scope="session")
def model(model_name) -> SegFormerNetwork:
    """Every kind of network."""
    return random_model(model_name)


@pytest.fixture(scope="session")
def tiny() -> SegFormerNetwork:
    """One network."""
    return random_model("tiny")


@pytest.fixture(scope="session")
def deep() -> SegFormerNetwork:
    """A network with several blocks in a stage and a learned positional embedding."""
    return random_model("deep")


@pytest.fixture(scope="session")
def photograph() -> Callable[[int, int], np.ndarray]:
    """A maker of images `(1, height, width, 3)`, uint8, with patches and noise."""
    return photograph_of


@pytest.fixture(scope="session")
def run_file() -> Callable[[Path | bytes, np.ndarray], np.ndarray]:
    """Runs a TF Lite file, given by its path or its content, on the images."""

    def run(file: Path | bytes, images: np.ndarray) -> np.ndarray:
        [output] = TFLiteRunner(file if isinstance(file, bytes) else file.read_bytes())(images)
        return output

    return run
