"""A network and pictures to corrupt."""

from __future__ import annotations

from types import ModuleType

import keras
import pytest

from keras_segformer import SegFormer
from keras_segformer.data.examples import Examples
from noise_examples import noise_examples
from tiny import light_segmenter


@pytest.fixture(scope="session")
def model() -> SegFormer:
    """Three classes, random weights."""
    keras.utils.set_random_seed(0)
    return light_segmenter(num_classes=3)


@pytest.fixture(scope="session")
def examples() -> Examples:
    """Two pictures of three classes."""
    return noise_examples(2, num_classes=3)


@pytest.fixture(scope="session")
def library() -> ModuleType:
    """What draws the corruptions."""
    return pytest.importorskip("imagecorruptions", reason="the extra `robustness` is not installed")
