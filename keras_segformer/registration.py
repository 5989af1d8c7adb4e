"""Imports every class that Keras has to know by name to load a saved model.

Keras looks the classes in a file up among those that were registered, which happens when their modules are imported.
"""

from __future__ import annotations

from keras_segformer import segformer
from keras_segformer.evaluation import boundary_metric, metric
from keras_segformer.layers import (
    batch_norm,
    channel_dropout,
    efficient_self_attention,
    layer_norm,
    linear,
    mix_ffn,
    multi_level_fusion,
    overlapped_patch_embedding,
    positional_embedding,
    resize_like,
    stochastic_depth,
    transformer_block,
)
from keras_segformer.models import mix_transformer, mlp_decoder
from keras_segformer.training import losses, optimizer, schedule

__all__ = [
    "batch_norm",
    "boundary_metric",
    "channel_dropout",
    "efficient_self_attention",
    "layer_norm",
    "linear",
    "losses",
    "metric",
    "mix_ffn",
    "mix_transformer",
    "mlp_decoder",
    "multi_level_fusion",
    "optimizer",
    "overlapped_patch_embedding",
    "positional_embedding",
    "resize_like",
    "schedule",
    "segformer",
    "stochastic_depth",
    "transformer_block",
]
