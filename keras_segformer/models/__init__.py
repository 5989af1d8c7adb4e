"""The encoder, the decoder, the segmenter, and their hyper-parameters."""

from keras_segformer.models.config import MixTransformerConfig, SegFormerConfig
from keras_segformer.models.mix_transformer import MixTransformer
from keras_segformer.models.mlp_decoder import MLPDecoder
from keras_segformer.models.segformer import SegFormerNetwork
from keras_segformer.models.variants import VARIANTS

__all__ = [
    "VARIANTS",
    "MLPDecoder",
    "MixTransformer",
    "MixTransformerConfig",
    "SegFormerConfig",
    "SegFormerNetwork",
]
