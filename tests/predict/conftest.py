"""Small networks that can be run many times."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from keras_segformer.models import SegFormerNetwork
from tiny import tiny_config


@pytest.fixture(scope="session")
def model() -> SegFormerNetwork:
    """Seven classes, random weights."""
    keras.utils.set_random_seed(0)
    return SegFormerNetwork(tiny_config(num_classes=7))


@pytest.fixture(scope="session")
def binary_model() -> SegFormerNetwork:
    """A single logit, which is positive at some pixels of a noisy picture and negative at others."""
    keras.utils.set_random_seed(0)
    model = SegFormerNetwork(tiny_config(num_classes=1))
    noise = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype("float32")
    bias = model.decoder.classifier.bias
    bias.assign(bias - keras.ops.median(model.quarter(noise)))
    return model


@pytest.fixture(scope="session")
def cellwise_model() -> SegFormerNetwork:
    """Its logits at a grid point depend on a single pixel, wherever the border of the picture is."""
    keras.utils.set_random_seed(0)
    images = keras.Input((None, None, 3))
    features, x = [], images
    for stride in (4, 2, 2, 2):
        x = keras.layers.AveragePooling2D(1, stride, padding="same", data_format="channels_last")(x)
        features.append(x)
    backbone = keras.Model(images, features)
    return SegFormerNetwork(tiny_config(encoder=None, num_classes=7, decoder_stages=(1,)), backbone=backbone)


@pytest.fixture
def noise() -> np.ndarray:
    """A picture of random squares, 70x90 pixels: no multiples of 32, and more than one class."""
    coarse = np.random.default_rng(1).integers(0, 256, (10, 10, 3), dtype=np.uint8)
    return coarse.repeat(7, axis=0).repeat(9, axis=1)
