"""keras-segformer: SegFormer (arXiv 2105.15203) for Keras 3, from training to the phone."""

from importlib.metadata import version

from keras_segformer.quiet import import_keras_quietly, is_program

# The program cannot do this itself: Python runs this file before any other of the package.
if is_program():
    import_keras_quietly()

from keras_segformer import visualization
from keras_segformer.label_sets import LabelSet, load_label_set
from keras_segformer.models import VARIANTS, MixTransformer, MixTransformerConfig, MLPDecoder, SegFormerConfig
from keras_segformer.presets import load_encoder
from keras_segformer.segformer import SegFormer

__version__ = version("keras-segformer")

__all__ = [
    "VARIANTS",
    "LabelSet",
    "MLPDecoder",
    "MixTransformer",
    "MixTransformerConfig",
    "SegFormer",
    "SegFormerConfig",
    "load_encoder",
    "load_label_set",
    "visualization",
]
