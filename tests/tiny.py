"""Hyper-parameters of a network small enough for a test."""

from __future__ import annotations

from typing import Any

from keras_segformer.models import MixTransformerConfig, SegFormerConfig

TINY = MixTransformerConfig(embed_dims=(16, 32, 40, 64), depths=(1, 1, 1, 1))


def tiny_config(**overrides: Any) -> SegFormerConfig:
    """A segmenter of five classes, changed by field names of the config or of its encoder."""
    config = SegFormerConfig(encoder=TINY, num_classes=5, decoder_width=24, input_size=(64, 64))
    return config.replace(**overrides)
