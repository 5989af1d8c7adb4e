"""Checkpoints of any origin as the loader sees them: a config, and weights for a model of that config."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from keras_segformer.errors import InvalidPresetError
from keras_segformer.label_sets import LabelSet
from keras_segformer.licenses import License
from keras_segformer.models import SegFormerConfig
from keras_segformer.presets.inferred_config import infer_config
from keras_segformer.presets.json_files import read_json_object
from keras_segformer.presets.layouts import TRANSFORMERS, detect_layout
from keras_segformer.presets.preset_size import WeightsSize
from keras_segformer.presets.tensor_files import (
    SAFETENSORS_INDEX_SUFFIX,
    SAFETENSORS_SUFFIX,
    TORCH_SUFFIXES,
    read_tensors,
)
from keras_segformer.presets.torch_weights import assign_state_dict
from keras_segformer.presets.transformers_config import config_from_transformers, label_set_from_transformers

TRANSFORMERS_CONFIG = "config.json"


class Checkpoint(Protocol):
    """A config with weights.

    Attributes:
        config: Hyper-parameters; `num_classes` belongs to the head that the weights hold.
        classification: Whether that head is the encoder's ImageNet head.
        backbone: A backbone of its own, where the config has no encoder.
        label_set: Names of the classes, where known.
        license: Terms of the weights, where known.
        size: How much the weights are.
    """

    config: SegFormerConfig
    classification: bool
    backbone: keras.Model | None
    label_set: LabelSet | None
    license: License | None
    size: WeightsSize

    def fill(self, model: keras.Model) -> None:
        """Sets every variable of a model of exactly this config, or raises an `InvalidPresetError`."""


@dataclasses.dataclass
class TorchCheckpoint:
    """Weights that were made by transformers, the original code or timm."""

    config: SegFormerConfig
    classification: bool
    label_set: LabelSet | None
    tensors: dict[str, np.ndarray]
    license: License | None = None
    backbone: keras.Model | None = None

    @property
    def size(self) -> WeightsSize:
        """See `Checkpoint`."""
        return WeightsSize(len(self.tensors), sum(array.size for array in self.tensors.values()))

    def fill(self, model: keras.Model) -> None:
        """See `Checkpoint`."""
        assign_state_dict(model, self.tensors, detect_layout(self.tensors))

    @classmethod
    def read(cls, path: Path, overrides: dict[str, Any]) -> TorchCheckpoint:
        """Read a checkpoint.

        Args:
            path: A file of tensors, or a folder that holds one.
            overrides: Hyper-parameters that no file of this kind records, such as `num_heads`.

        Returns:
            The checkpoint.

        Raises:
            InvalidPresetError: Files are missing, broken, or do not describe a SegFormer.
        """
        file = _tensor_file(path) if path.is_dir() else path
        tensors = read_tensors(file)
        layout = detect_layout(tensors)
        if layout is TRANSFORMERS:
            values = read_json_object(file.with_name(TRANSFORMERS_CONFIG))
            config, label_set = config_from_transformers(values), label_set_from_transformers(values)
        else:
            config, label_set = infer_config(tensors, layout), None
        heads = {name: overrides[name] for name in ("num_heads",) if name in overrides}
        classification = not any(key.startswith("decode_head.") for key in tensors)
        return cls(config.replace(**heads), classification, label_set, tensors)


def _tensor_file(folder: Path) -> Path:
    """The file of weights in a folder: safetensors before their shards before torch's own format."""
    shards = sorted(folder.glob(f"*{SAFETENSORS_INDEX_SUFFIX}"))
    whole = [] if shards else sorted(folder.glob(f"*{SAFETENSORS_SUFFIX}"))
    torch_files = [file for suffix in TORCH_SUFFIXES for file in sorted(folder.glob(f"*{suffix}"))]
    for found in (shards, whole, torch_files):
        usual = [file for file in found if file.name.split(".")[0] in ("model", "pytorch_model")]
        if len(usual or found) == 1:
            return (usual or found)[0]
        if found:
            raise InvalidPresetError(f"{folder} holds several files of weights; name one of {[str(f) for f in found]}.")
    raise InvalidPresetError(
        f"{folder} holds no weights that can be read here (safetensors, .bin, .pth, or model.weights.h5); get the "
        "whole folder again."
    )
