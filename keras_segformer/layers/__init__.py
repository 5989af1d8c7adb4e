"""The layers of SegFormer, one file for each term of the paper."""

from keras_segformer.layers.batch_norm import BatchNorm
from keras_segformer.layers.channel_dropout import ChannelDropout
from keras_segformer.layers.efficient_self_attention import EfficientSelfAttention
from keras_segformer.layers.layer_norm import LayerNorm
from keras_segformer.layers.linear import LinearMap
from keras_segformer.layers.mix_ffn import MixFFN
from keras_segformer.layers.multi_level_fusion import MultiLevelFusion
from keras_segformer.layers.overlapped_patch_embedding import OverlappedPatchEmbedding
from keras_segformer.layers.positional_embedding import PositionalEmbedding
from keras_segformer.layers.resize_like import ResizeLike
from keras_segformer.layers.stochastic_depth import StochasticDepth
from keras_segformer.layers.transformer_block import TransformerBlock

__all__ = [
    "BatchNorm",
    "ChannelDropout",
    "EfficientSelfAttention",
    "LayerNorm",
    "LinearMap",
    "MixFFN",
    "MultiLevelFusion",
    "OverlappedPatchEmbedding",
    "PositionalEmbedding",
    "ResizeLike",
    "StochasticDepth",
    "TransformerBlock",
]
