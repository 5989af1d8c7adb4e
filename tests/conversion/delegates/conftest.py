"""Files to run on delegates, the delegates' parts, and a runner of the scripts that use them."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from keras_segformer import SegFormer
from keras_segformer.conversion import convert
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize import PLANS, QuantizationRecipe
from keras_segformer.conversion.quantize.file_layers import find_layers
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.files import atomic_folder
from keras_segformer.images import load_image

ROOT = Path(__file__).parents[3]
RUNNERS = Path(__file__).parent / "runners"
CACHE = ROOT / ".cache" / "delegates"
SIZE = (128, 128)
# Static INT8 costs these much accuracy, and the delegates are not to be measured by that.
SENSITIVE = ("/start", "/to_next", "/depthwise", "stage1/embedding")


@pytest.fixture(scope="session")
def skip_or_fail() -> Callable[[str], None]:
    """Skips the tests of a delegate that cannot be had; on a machine for integration they have to run."""

    def leave(reason: str) -> None:
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; .ci/run has to install it", pytrace=False)
        pytest.skip(reason)

    return leave


@pytest.fixture(scope="session")
def need_command(skip_or_fail) -> Callable[[str, str], str]:
    """Finds a program, or skips."""

    def need(name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            skip_or_fail(f"there is no {name}, which Debian has in {package}")
        return path

    return need


@pytest.fixture(scope="session")
def install(skip_or_fail) -> Callable[[str, Sequence[str], Callable[[Path], None]], Path]:
    """Fills a folder of the cache once, or skips where that fails."""

    def once(name: str, key: Sequence[str], fill: Callable[[Path], None]) -> Path:
        digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:8]
        folder = CACHE / f"{name}-{digest}"
        CACHE.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):  # other workers wait
            if not folder.is_dir():
                try:
                    with atomic_folder(folder) as temporary:
                        fill(temporary)
                except (subprocess.SubprocessError, OSError) as error:
                    skip_or_fail(f"{name} cannot be installed: {error} {getattr(error, 'stderr', '') or ''}")
        return folder

    return once


@pytest.fixture(scope="session")
def run_script() -> Callable[..., str]:
    """Runs a script of `runners/` and returns what it prints; what it says when it fails becomes the failure."""

    def run(
        script: str,
        *arguments: Any,
        python: Sequence[str | Path] = (sys.executable,),
        env: Mapping[str, str | Path] | None = None,
        timeout: float = 300,
        **options: Any,
    ) -> str:
        command = [*python, RUNNERS / script, *map(str, arguments)]
        environment = os.environ | {name: str(value) for name, value in (env or {}).items()}
        result = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environment, timeout=timeout, **options
        )
        if result.returncode:
            raise RuntimeError(f"{script} ended with {result.returncode}: {result.stderr[-3000:]}")
        return result.stdout

    return run


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """Three parts of a street, `(3, *SIZE, 3)`, uint8."""
    return np.stack(_parts()[:3])


@pytest.fixture(scope="session")
def file_of(tmp_path_factory) -> Callable[..., Path]:
    """Converts the bundled B0 to a precision once, without tiles, as for accelerators."""
    folder = tmp_path_factory.mktemp("files")

    @functools.cache
    def make(precision: str, input: str, output: str = "labels") -> Path:
        path = folder / f"{precision}_{input}_{output}.tflite"
        options: dict[str, Any] = {"calibration": _parts()} if precision.startswith("int8") else {}
        if options:
            options["recipe"] = _recipe(precision)  # a search would take minutes
        convert(_b0(), path, precision, SIZE, input, output, report=False, tiles=False, **options)
        return path

    return make


@pytest.fixture(scope="session")
def on_cpu(run_script, tmp_path_factory) -> Callable[[Path, np.ndarray], np.ndarray]:
    """Runs a file on this machine's CPU."""
    folder = tmp_path_factory.mktemp("cpu")

    def run(file: Path, images: np.ndarray) -> np.ndarray:
        np.save(folder / "images.npy", images)
        run_script("interpreter.py", file, folder / "images.npy", folder / "outputs.npy")
        return np.load(folder / "outputs.npy")

    return run


@functools.cache
def _b0() -> SegFormer:
    return SegFormer.from_preset("b0_camvid", output_stride=4)


@functools.cache
def _parts() -> list[np.ndarray]:
    """Twelve parts of the street, each once as it is and once mirrored."""
    street = load_image(ROOT / "docs/street.jpg")
    side = min(street.shape[:2]) * 2 // 3
    tops = np.linspace(0, street.shape[0] - side, 2).astype(int)
    lefts = np.linspace(0, street.shape[1] - side, 3).astype(int)
    parts = [street[top : top + side, left : left + side] for top in tops for left in lefts]
    parts += [part[:, ::-1] for part in parts]
    return [np.asarray(Image.fromarray(part).resize(SIZE[::-1], Image.Resampling.BILINEAR)) for part in parts]


@functools.cache
def _recipe(precision: str) -> QuantizationRecipe:
    traced = trace_network(fold_all(read_network(_b0())), SIZE)
    layers = find_layers(read_tflite(export(traced.function, "float32")), traced.layers)
    static = {"CONV_2D", "DEPTHWISE_CONV_2D"} | ({"BATCH_MATMUL"} if precision == "int8_npu" else set())
    modes = {
        name: "static" if layer.operator in static and not name.endswith(SENSITIVE) else "float"
        for name, layer in layers.items()
    }
    operators = dict.fromkeys(PLANS[precision].operators, "static")
    return QuantizationRecipe(layers=modes, operators=operators, rounding="nearest")
