"""Named weights: where they are, how others spell them, how they are saved."""

from keras_segformer.presets.catalogue import PRESETS, PresetInfo
from keras_segformer.presets.keras_folder import save_keras_folder
from keras_segformer.presets.loading import load_encoder, load_segmenter
from keras_segformer.presets.transformers_folder import save_transformers_folder

__all__ = [
    "PRESETS",
    "PresetInfo",
    "load_encoder",
    "load_segmenter",
    "save_keras_folder",
    "save_transformers_folder",
]
