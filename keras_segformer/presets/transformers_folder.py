"""Writes models for transformers."""

from __future__ import annotations

import json
import logging
import os

from safetensors.numpy import save

from keras_segformer.files import atomic_folder, write_bytes
from keras_segformer.models import SegFormerNetwork
from keras_segformer.presets.layouts import TRANSFORMERS
from keras_segformer.presets.torch_weights import to_state_dict
from keras_segformer.presets.transformers_config import TRANSFORMERS_EPSILON, config_to_transformers

_LOGGER = logging.getLogger("keras_segformer")


def save_transformers_folder(model: SegFormerNetwork, folder: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Write a model so that `SegformerForSemanticSegmentation.from_pretrained(folder)` reads it.

    transformers' norms have an epsilon of 1e-5 everywhere; for a model with another one, a warning is logged.

    Args:
        model: The model.
        folder: The folder to write: `config.json`, `preprocessor_config.json`, `model.safetensors`.
        overwrite: Whether a folder that already holds something is replaced.

    Raises:
        FileExistsError: The folder holds something and `overwrite` is false.
        InvalidPresetError: The model has parts that transformers' SegFormer lacks.
    """
    config = model.config
    values = config_to_transformers(config, model.label_set)
    tensors = to_state_dict(model, TRANSFORMERS)
    encoder = config.encoder
    if {encoder.block_norm_epsilon, encoder.stage_norm_epsilon} != {TRANSFORMERS_EPSILON}:
        _LOGGER.warning(
            "transformers computes every norm with an epsilon of %g; this model was made with others, so its logits "
            "will differ there by about 1e-4.",
            TRANSFORMERS_EPSILON,
        )
    height, width = config.input_size
    preprocessor = {
        "image_processor_type": "SegformerImageProcessor",
        "do_resize": True,
        "size": {"height": height, "width": width},
        "resample": 2,  # bilinear
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [mean / 255 for mean in config.image_mean],
        "image_std": [std / 255 for std in config.image_std],
        "do_reduce_labels": 0 not in model.label_set.raw_to_train,
    }
    with atomic_folder(folder, overwrite) as temporary:
        write_bytes(temporary / "model.safetensors", save(tensors, metadata={"format": "pt"}))
        for name, content in (("config.json", values), ("preprocessor_config.json", preprocessor)):
            write_bytes(temporary / name, (json.dumps(content, indent=2) + "\n").encode())
