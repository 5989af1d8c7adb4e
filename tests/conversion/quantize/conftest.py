"""A quantised network that is small."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.inference_function import inference_function
from keras_segformer.conversion.graph.network import read_network
from keras_segformer.conversion.quantize.quantizer import FloatFile
from keras_segformer.conversion.quantize.statistics import collect_statistics
from keras_segformer.conversion.tflite.export import export

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
def float_content(tiny) -> bytes:
    """The tiny network as a float file with logits."""
    return export(inference_function(fold_all(read_network(tiny)), SIZE), "float32")


@pytest.fixture(scope="session")
def float_file(float_content, pictures) -> FloatFile:
    """The same with statistics."""
    source = FloatFile(float_content)
    return FloatFile(float_content, collect_statistics(float_content, source.file, source.layers.values(), pictures))
