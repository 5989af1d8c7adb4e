"""Our own preset folder, with the file names of KerasHub's presets.

- `config.json`: class and hyper-parameters of the network.
- `preprocessor.json`: what a program that feeds the network must know: size, mean, standard deviation, classes.
- `model.weights.h5`: Keras' own weights file.
- `metadata.json`: versions, licence, and the digest of the weights.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import io
import json
import math
import os
from pathlib import Path
from typing import Any, Literal

import h5py
import keras
import numpy as np

from keras_segformer.errors import InvalidPresetError, WeightsMismatchError
from keras_segformer.files import atomic_folder, write_bytes
from keras_segformer.label_sets import LabelSet
from keras_segformer.licenses import License
from keras_segformer.models import SegFormerConfig, SegFormerNetwork
from keras_segformer.presets.backbone_config import check_backbone_config
from keras_segformer.presets.json_files import read_json_object
from keras_segformer.presets.preset_size import WeightsSize
from keras_segformer.presets.weights_file import open_weights, weights_bytes

CONFIG = "config.json"
PREPROCESSOR = "preprocessor.json"
WEIGHTS = "model.weights.h5"
METADATA = "metadata.json"

_PREPROCESSING = ("input_size", "image_mean", "image_std")


def save_keras_folder(
    model: SegFormerNetwork,
    folder: str | os.PathLike[str],
    overwrite: bool = False,
    weights_dtype: Literal["float32", "float16"] = "float32",
) -> None:
    """Write a model as a preset folder, whole or not at all.

    Args:
        model: The model.
        folder: The folder to write.
        overwrite: Whether a folder that already holds something is replaced.
        weights_dtype: Dtype of the weights on disk; float16 halves the file, and is read back as what the model
            computes in.

    Raises:
        FileExistsError: The folder holds something and `overwrite` is false.
        ValueError: A weight is too large for float16.
    """
    config = model.get_config()
    label_set, license = config.pop("label_set"), config.pop("license")
    preprocessor = {name: config["config"].pop(name) for name in _PREPROCESSING} | {"label_set": label_set}
    with atomic_folder(folder, overwrite) as temporary:
        weights = _encode_weights(model, weights_dtype)
        write_bytes(temporary / WEIGHTS, weights)
        metadata = {
            "keras_version": keras.__version__,
            "keras_segformer_version": importlib.metadata.version("keras-segformer"),
            "parameter_count": model.count_params(),
            "license": license,
            "sha256": {WEIGHTS: hashlib.sha256(weights).hexdigest()},
        }
        _write_json(temporary / CONFIG, {"class_name": "SegFormer", "config": config})
        _write_json(temporary / PREPROCESSOR, preprocessor)
        _write_json(temporary / METADATA, metadata)


@dataclasses.dataclass
class KerasCheckpoint:
    """A preset folder of ours, read; see `keras_segformer.presets.checkpoint.Checkpoint`."""

    folder: Path
    config: SegFormerConfig
    backbone: keras.Model | None
    label_set: LabelSet
    license: License | None
    size: WeightsSize
    classification: bool = False

    @classmethod
    def read(cls, folder: Path) -> KerasCheckpoint:
        """Read all but the weights.

        Args:
            folder: The folder.

        Returns:
            The checkpoint.

        Raises:
            InvalidPresetError: A file is missing, is not JSON, or holds values of the wrong type.
        """
        saved = read_json_object(folder / CONFIG)
        preprocessor = read_json_object(folder / PREPROCESSOR)
        metadata = read_json_object(folder / METADATA)
        _verify_weights(folder, metadata)
        try:
            if saved["class_name"] != "SegFormer":
                raise ValueError(f"class_name is {saved['class_name']!r}, not 'SegFormer'")
            values = dict(saved["config"]["config"])
            check_backbone_config(saved["config"]["backbone"])
            backbone = keras.saving.deserialize_keras_object(saved["config"]["backbone"])
            values |= {name: preprocessor[name] for name in _PREPROCESSING}
            config = SegFormerConfig.from_dict(values)
            if not (backbone is None if config.encoder else isinstance(backbone, keras.Model)):
                raise ValueError(f"{CONFIG} needs either an encoder or a backbone")
            label_set = LabelSet.from_dict(preprocessor["label_set"])
            if not label_set.fits(config.num_classes):
                raise ValueError(f"{label_set.num_classes} classes are named for {config.num_classes} logits")
            license = metadata["license"]
            return cls(
                folder=folder,
                config=config,
                backbone=backbone,
                label_set=label_set,
                license=License(**license) if license else None,
                size=_size(folder / WEIGHTS),
            )
        except InvalidPresetError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidPresetError(
                f"The JSON files of {folder} do not describe a SegFormer ({type(error).__name__}: {error}); save or "
                "download the preset again."
            ) from error

    def fill(self, model: keras.Model) -> None:
        """Set every variable from the weights file.

        Args:
            model: A model of exactly this config.

        Raises:
            WeightsMismatchError: A tensor is missing, left over, of another shape, or not finite.
        """
        path = self.folder / WEIGHTS
        _check_shapes(path, model)
        try:
            model.load_weights(path)
        except (ValueError, KeyError, OSError) as error:
            raise WeightsMismatchError(f"{path} does not fit the model: {error}") from error
        broken = [variable.path for variable in model.weights if not _finite(variable)]
        if broken:
            raise WeightsMismatchError(f"{path} holds values that are not finite, in {broken}; get it again.")


def is_keras_folder(folder: Path) -> bool:
    """Returns True if a folder is one of ours, judging by its names."""
    return (folder / WEIGHTS).is_file() or (folder / PREPROCESSOR).is_file()


def _verify_weights(folder: Path, metadata: dict[str, Any]) -> None:
    path = folder / WEIGHTS
    if not path.is_file():
        raise InvalidPresetError(f"{folder} lacks {WEIGHTS}; get the whole folder again.")
    recorded = metadata.get("sha256", {})
    expected = recorded.get(WEIGHTS) if isinstance(recorded, dict) else None
    if expected != _sha256(path):
        raise InvalidPresetError(
            f"The SHA-256 of {path} is {_sha256(path)}, but {METADATA} records {expected}; get the whole folder again."
        )


def _check_shapes(path: Path, model: keras.Model) -> None:
    """Compares the file with one that the model would write.

    Keras' reader ignores tensors without a variable, and in some cases only warns about missing ones.
    """
    wanted, held = _shapes(weights_bytes(model)), _shapes(path)
    if wanted != held:
        others = sorted(name for name in wanted.keys() & held.keys() if wanted[name] != held[name])
        raise WeightsMismatchError(
            f"{path} and the model differ. The model needs but the file lacks: {sorted(wanted.keys() - held.keys())}. "
            f"The file holds but the model does not use: {sorted(held.keys() - wanted.keys())}. Of another shape: "
            f"{[(name, held[name], wanted[name]) for name in others]}. Get the whole folder again."
        )


def _size(path: Path) -> WeightsSize:
    shapes = _shapes(path).values()
    return WeightsSize(len(shapes), sum(map(math.prod, shapes)))


def _shapes(source: Path | bytes) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of a weights file by its name."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset):
            shapes[name] = item.shape

    with open_weights(source) as file:
        file.visititems(note)
    return shapes


def _encode_weights(model: keras.Model, dtype: str) -> bytes:
    """Keras' weights file without the optimizer that Keras adds for a compiled model, its floats in `dtype`."""
    buffer = io.BytesIO()
    with open_weights(weights_bytes(model)) as source, h5py.File(buffer, "w") as target:

        def copy(name: str, item: h5py.HLObject) -> None:
            if name.split("/")[0] == "optimizer":
                return
            if not isinstance(item, h5py.Dataset):
                target.require_group(name).attrs.update(item.attrs)
                return
            values = item[()]
            if np.issubdtype(values.dtype, np.floating):
                if not np.isfinite(values).all():
                    raise ValueError(f"{name} holds values that are not finite numbers; train anew at a lower rate.")
                with np.errstate(over="ignore"):
                    values = values.astype(dtype)
                if not np.isfinite(values).all():
                    raise ValueError(f"{name} holds values that {dtype} cannot; train on, or save as float32.")
            target.create_dataset(name, data=values).attrs.update(item.attrs)

        source.visititems(copy)
    return buffer.getvalue()


def _finite(variable: keras.Variable) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(variable.value, "float32"))).all())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, values: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(values, indent=2) + "\n").encode())
