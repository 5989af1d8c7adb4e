"""Float files of small networks, to be quantised."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.trace import TracedNetwork, trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize.float_file import FloatFile
from keras_segformer.conversion.quantize.statistics import collect_statistics
from keras_segformer.conversion.tflite.export import export
from random_models import random_model

SIZE = (64, 64)


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """Smooth images `(8, 64, 64, 3)`, uint8."""
    coarse = np.random.default_rng(0).integers(0, 256, (8, 9, 9, 3)).astype(np.float32)
    rows = np.linspace(0, 8, 64)
    low, weight = np.minimum(rows.astype(int), 7), rows - np.minimum(rows.astype(int), 7)
    tall = coarse[:, low] * (1 - weight)[:, None, None] + coarse[:, low + 1] * weight[:, None, None]
    wide = tall[:, :, low] * (1 - weight)[:, None] + tall[:, :, low + 1] * weight[:, None]
    return wide.astype(np.uint8)


@pytest.fixture(scope="session")
def traced(tiny) -> TracedNetwork:
    """The tiny network with logits."""
    return trace_network(fold_all(read_network(tiny)), SIZE)


@pytest.fixture(scope="session")
def uncalibrated_file(traced) -> FloatFile:
    """The float file of the tiny network without statistics."""
    return FloatFile(export(traced.function, "float32"), traced.layers)


@pytest.fixture(scope="session")
def float_file(uncalibrated_file, pictures) -> FloatFile:
    """The float file of the tiny network with statistics."""
    return with_statistics(uncalibrated_file, pictures)


@pytest.fixture(scope="session")
def small_file(pictures) -> FloatFile:
    """The float file, with statistics, of a network that has only one stage."""
    traced = trace_network(fold_all(read_network(random_model("stage_1"))), SIZE)
    return with_statistics(FloatFile(export(traced.function, "float32"), traced.layers), pictures)


def with_statistics(file: FloatFile, images: np.ndarray) -> FloatFile:
    """The file with statistics of its tensors over the images."""
    return file.with_statistics(collect_statistics(file.content, file.file, file.layers.values(), images))
