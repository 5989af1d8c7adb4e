"""Models to convert, and a runner of the files."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from comparison import randomize
from keras_segformer.conversion.quantize import plans
from keras_segformer.models import SegFormerNetwork
from tiny import tiny_config

# What a conversion must handle, each on top of `tiny_config`.
CONFIGS = {
    "tiny": {},
    "pvt_v2": {"mlp_ratios": (8, 8, 4, 4)},
    "learned_position": {"positional_encoding": "learned", "positional_resolution": (64, 64)},
    "stages_2_4": {"decoder_stages": (2, 4)},
    "stage_1": {"decoder_stages": (1,)},
    "binary": {"num_classes": 1},
}


def random_model(name: str) -> SegFormerNetwork:
    """A network of one of `CONFIGS` that leaves its logits at a quarter of the size."""
    model = SegFormerNetwork(tiny_config(output_stride=4, **CONFIGS[name]))
    randomize(model)
    return model


@pytest.fixture(scope="session", params=CONFIGS)
def model(request) -> SegFormerNetwork:
    """Every kind of network."""
    return random_model(request.param)


@pytest.fixture(scope="session")
def tiny() -> SegFormerNetwork:
    """One network."""
    return random_model("tiny")


@pytest.fixture(scope="session")
def deep() -> SegFormerNetwork:
    """A network with several blocks in a stage and a learned position."""
    model = SegFormerNetwork(
        tiny_config(output_stride=4, depths=(2, 1, 2, 1), positional_encoding="learned", positional_resolution=(64, 64))
    )
    randomize(model)
    return model


@pytest.fixture
def fast_integers(monkeypatch) -> None:
    """The same times of layers on every machine: on some processors small layers are as fast in float."""
    seconds = {"static": 1.0, "dynamic": 2.0, "float": 3.0}
    monkeypatch.setattr(plans, "layer_seconds", lambda layer, form: seconds[form] * layer.macs)


@pytest.fixture(scope="session")
def photograph() -> Callable[[int, int], np.ndarray]:
    """A maker of images `(1, height, width, 3)`, uint8, with patches and noise."""

    def make(height: int, width: int) -> np.ndarray:
        generator = np.random.default_rng(0)
        coarse = generator.integers(0, 256, (1, height // 8 + 1, width // 8 + 1, 3))
        image = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
        return np.clip(image + generator.integers(-20, 21, image.shape), 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def run_file() -> Callable[[Path | bytes, np.ndarray], np.ndarray]:
    """Runs a TF Lite file, given by its path or its content, on the images."""

    def run(file: Path | bytes, images: np.ndarray) -> np.ndarray:
        content = file if isinstance(file, bytes) else file.read_bytes()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
            interpreter = tf.lite.Interpreter(model_content=content)
        interpreter.allocate_tensors()
        [details] = interpreter.get_input_details()
        interpreter.set_tensor(details["index"], images.astype(details["dtype"]))
        interpreter.invoke()
        [details] = interpreter.get_output_details()
        return interpreter.get_tensor(details["index"])

    return run
