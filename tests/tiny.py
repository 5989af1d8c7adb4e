"""Hyper-parameters of a network small enough for a test, and a network smaller still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from keras_segformer import SegFormer
from keras_segformer.layers import StochasticDepth
from keras_segformer.models import MixTransformerConfig, SegFormerConfig

TINY = MixTransformerConfig(embed_dims=(16, 32, 40, 64), depths=(1, 1, 1, 1))


def tiny_config(**overrides: Any) -> SegFormerConfig:
    """A segmenter of five classes, changed by field names of the config or of its encoder."""
    config = SegFormerConfig(encoder=TINY, num_classes=5, decoder_width=24, input_size=(64, 64))
    return config.replace(**overrides)


def light_segmenter(drop_path_rate: float = 0.0, dtype: str = "float32", **overrides: Any) -> SegFormer:
    """A segmenter with convolutions for an encoder, whose training step is traced and compiled in much less time.

    For tests of what surrounds the network: `fit`, schedules, checkpoints, strategies.

    Args:
        drop_path_rate: Above 0 the encoder has a random layer, whose state is part of a training run's.
        dtype: Dtype policy of every layer.
        overrides: Fields of the config.
    """
    options = {"padding": "same", "activation": "relu", "dtype": dtype}
    images = keras.Input((None, None, 3))
    maps = [keras.layers.Conv2D(8, 7, strides=4, **options)(images)]
    for _ in range(3):
        maps.append(keras.layers.Conv2D(8, 3, strides=2, **options)(maps[-1]))
    if drop_path_rate:
        maps[-1] = StochasticDepth(drop_path_rate, dtype=dtype)(maps[-1])
    config = tiny_config(**overrides).replace(encoder=None)
    return SegFormer(config, backbone=keras.Model(images, maps), dtype=dtype)


def save_light_preset(folder: Path) -> None:
    """Writes the preset of a light network of three classes with a random layer."""
    light_segmenter(drop_path_rate=0.2, num_classes=3).save_to_preset(folder)
