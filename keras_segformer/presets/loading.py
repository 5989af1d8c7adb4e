"""Builds models from presets."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np

from keras_segformer.label_sets import LabelSet, load_label_set
from keras_segformer.licenses import announce
from keras_segformer.models import VARIANTS, MixTransformer, SegFormerConfig, SegFormerNetwork
from keras_segformer.presets.catalogue import PRESETS, PresetInfo
from keras_segformer.presets.checkpoint import Checkpoint, TorchCheckpoint
from keras_segformer.presets.keras_folder import KerasCheckpoint, is_keras_folder
from keras_segformer.presets.lookup import locate
from keras_segformer.presets.preset_size import check_size
from keras_segformer.presets.torch_weights import parameters
from keras_segformer.presets.transformers_config import TRANSFORMERS_EPSILON

_LOGGER = logging.getLogger("keras_segformer")

Network = TypeVar("Network", bound=SegFormerNetwork)


def load_segmenter(
    network: type[Network],
    preset: str | os.PathLike[str],
    num_classes: int | None = None,
    output_stride: int = 1,
    load_weights: bool = True,
    label_set: LabelSet | None = None,
    dtype: Any = None,
    **overrides: Any,
) -> Network:
    """Build a segmenter from a preset; `keras_segformer.SegFormer.from_preset` documents the arguments.

    Args:
        network: The class to build.
        preset: See `from_preset`.
        num_classes: See `from_preset`.
        output_stride: See `from_preset`.
        load_weights: See `from_preset`.
        label_set: See `from_preset`.
        dtype: See `from_preset`.
        **overrides: See `from_preset`.

    Returns:
        The model.

    Raises:
        PresetNotFoundError: See `from_preset`.
        InvalidPresetError: See `from_preset`.
        ValueError: See `from_preset`.
    """
    # A path is never a name, even where it is spelt like one.
    info = PRESETS.get(preset) if isinstance(preset, str) else None
    if info and not load_weights:
        _require_classes(preset, info.task == "classification", num_classes)
        config = _published_config(info).replace(output_stride=output_stride, **overrides)
        config = config if num_classes is None else config.replace(num_classes=num_classes)
        return network(config, label_set=label_set or _label_set_of(info, config), dtype=dtype)

    checkpoint, origin = _read(preset, overrides)
    _require_classes(preset, checkpoint.classification, num_classes)
    config = checkpoint.config.replace(output_stride=output_stride, **overrides)
    if num_classes is not None:
        config = config.replace(num_classes=num_classes)
    same_head = not checkpoint.classification and config.num_classes == checkpoint.config.num_classes
    model = network(
        config,
        backbone=checkpoint.backbone,
        label_set=label_set or (checkpoint.label_set if same_head else None),
        license=checkpoint.license if load_weights else None,
        dtype=dtype,
    )
    if not load_weights:
        return model
    if checkpoint.classification or not config.same_weights(checkpoint.config):
        _transfer(_source_model(checkpoint), model, origin)
    else:
        checkpoint.fill(model)
    if checkpoint.license:
        announce(checkpoint.license, origin)
    return model


def load_encoder(
    preset: str | os.PathLike[str], classification_head: bool = False, dtype: Any = None, **overrides: Any
) -> keras.Model:
    """Build the encoder of a preset alone.

    Args:
        preset: Any preset that `SegFormer.from_preset` takes.
        classification_head: Keeps the ImageNet head of presets that have one (`mit_*`, `pvt_v2_*`).
        dtype: Dtype policy, the global one by default.
        **overrides: Fields of `MixTransformerConfig` to change, such as `drop_path_rate`.

    Returns:
        A `MixTransformer` from normalised images `(B, H, W, 3)` to four features or to class logits; or the
        preset's own backbone.

    Raises:
        PresetNotFoundError: The preset cannot be found or downloaded.
        InvalidPresetError: Its files are broken or do not fit each other.
        ValueError: A head is asked for that the preset lacks.

    Example:

    >>> [feature.shape[-1] for feature in load_encoder("b0_camvid").outputs]
    [32, 64, 160, 256]
    """
    checkpoint, origin = _read(preset, overrides)
    if classification_head and not checkpoint.classification:
        raise ValueError(f"{preset} has no ImageNet head; leave `classification_head` out or take a `mit_*` preset.")
    config = checkpoint.config.replace(**overrides)
    if checkpoint.license:
        announce(checkpoint.license, origin)
    if not checkpoint.classification:
        source = SegFormerNetwork(config, backbone=checkpoint.backbone, dtype=dtype)
        checkpoint.fill(source)
        if checkpoint.backbone is None:
            source.backbone.place = None  # the segmenter around it ends here
        return source.backbone
    source = MixTransformer(config.encoder, config.num_classes, dtype=dtype)
    checkpoint.fill(source)
    if classification_head:
        return source
    encoder = MixTransformer(config.encoder, dtype=dtype)
    _transfer(source, encoder, origin)
    return encoder


def _require_classes(preset: str | os.PathLike[str], classification: bool, num_classes: int | None) -> None:
    if classification and num_classes is None:
        raise ValueError(f"{preset} is an encoder without decoder; say how many classes to train with `num_classes=`.")


def _read(preset: str | os.PathLike[str], overrides: dict[str, Any]) -> tuple[Checkpoint, str]:
    """The checkpoint, completed by what the catalogue knows of it, and what to call it in messages."""
    location = locate(preset)
    path: Path = location.path
    checkpoint = KerasCheckpoint.read(path) if is_keras_folder(path) else TorchCheckpoint.read(path, overrides)
    check_size(checkpoint.config, checkpoint.classification, checkpoint.size)
    info = location.info
    if info:
        checkpoint.license = checkpoint.license or info.license
        checkpoint.config = checkpoint.config.replace(input_size=info.input_size)
        if info.label_set and not checkpoint.label_set:
            checkpoint.label_set = _label_set_of(info, checkpoint.config)
    return checkpoint, location.origin


def _published_config(info: PresetInfo) -> SegFormerConfig:
    """The architecture of a catalogue entry, known without its files."""
    config = VARIANTS[info.variant].replace(input_size=info.input_size, num_classes=info.num_classes)
    if info.layout == "transformers":
        epsilons = dict.fromkeys(("block_norm_epsilon", "stage_norm_epsilon"), TRANSFORMERS_EPSILON)
        config = config.replace(**epsilons)
    return config


def _label_set_of(info: PresetInfo, config: SegFormerConfig) -> LabelSet | None:
    label_set = info.label_set and load_label_set(info.label_set)
    return label_set if label_set and label_set.num_classes == config.num_classes else None


def _source_model(checkpoint: Checkpoint) -> keras.Model:
    """A model of the checkpoint's own architecture, filled."""
    if checkpoint.classification:
        model = MixTransformer(checkpoint.config.encoder, checkpoint.config.num_classes)
    else:
        model = SegFormerNetwork(checkpoint.config, backbone=checkpoint.backbone)
    checkpoint.fill(model)
    return model


def _transfer(source: keras.Model, target: keras.Model, origin: str) -> None:
    """Copy what two models share by name and shape, and say what keeps its fresh initial values."""
    values = {path: keras.ops.convert_to_numpy(variable.value) for path, variable in parameters(source).items()}
    fresh = []
    for path, variable in parameters(target).items():
        if path in values and values[path].shape == tuple(variable.shape):
            variable.assign(np.asarray(values[path]))
        else:
            fresh.append(path)
    if fresh:
        parts = sorted({path.rsplit("/", 1)[0] for path in fresh})
        _LOGGER.warning(
            "%s gives %d of %d weights; initialised afresh, to be trained: %s",
            origin,
            len(parameters(target)) - len(fresh),
            len(parameters(target)),
            ", ".join(parts),
        )
