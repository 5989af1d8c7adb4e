"""`config.json` of transformers' SegFormer, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_segformer.errors import InvalidPresetError
from keras_segformer.label_sets import LabelSet, label_set_names, load_label_set
from keras_segformer.models.config import SegFormerConfig

# transformers leaves every norm at torch's default, whatever `layer_norm_eps` of its config says.
TRANSFORMERS_EPSILON = 1e-5

_ENCODER_FIELDS = {
    "hidden_sizes": "embed_dims",
    "depths": "depths",
    "num_attention_heads": "num_heads",
    "sr_ratios": "sr_ratios",
    "mlp_ratios": "mlp_ratios",
    "patch_sizes": "patch_sizes",
    "strides": "strides",
    "drop_path_rate": "drop_path_rate",
}
_DECODER_FIELDS = {"decoder_hidden_size": "decoder_width", "classifier_dropout_prob": "decoder_dropout"}
# What the network computes if the file does not say otherwise; any other value would be another network.
_FIXED = {"hidden_act": "gelu", "num_channels": 3, "num_encoder_blocks": 4, "reshape_last_stage": True}


def config_from_transformers(values: Mapping[str, Any]) -> SegFormerConfig:
    """Read the hyper-parameters.

    Args:
        values: The content of `config.json`.

    Returns:
        The config, with the epsilon that transformers really uses. `num_classes` is the number of labels, of
        whichever head the file is for.

    Raises:
        InvalidPresetError: A field is missing, of the wrong type, or asks for a network that is not in this package.

    Example:

    >>> values = {"hidden_sizes": [32, 64, 160, 256], "depths": [2, 2, 2, 2], "id2label": {"0": "road"}}
    >>> config_from_transformers(values).encoder.block_norm_epsilon
    1e-05
    """
    if not isinstance(values, Mapping):
        raise InvalidPresetError(f"config.json must hold an object, not {type(values).__name__}; get the file again.")
    for name, expected in _FIXED.items():
        if values.get(name, expected) != expected:
            raise InvalidPresetError(f"config.json asks for {name}={values[name]!r}; SegFormer is {expected!r} here.")
    encoder = {ours: values[theirs] for theirs, ours in _ENCODER_FIELDS.items() if theirs in values}
    decoder = {ours: values[theirs] for theirs, ours in _DECODER_FIELDS.items() if theirs in values}
    epsilons = dict.fromkeys(("block_norm_epsilon", "stage_norm_epsilon"), TRANSFORMERS_EPSILON)
    try:
        return SegFormerConfig.from_dict(
            {"encoder": {**encoder, **epsilons}, **decoder, "num_classes": len(_label_names(values))}
        )
    except ValueError as error:
        raise InvalidPresetError(f"config.json is no SegFormer's: {error}") from error


def label_set_from_transformers(values: Mapping[str, Any]) -> LabelSet | None:
    """The label set behind `id2label`: one that comes with the package where the names agree.

    Args:
        values: The content of `config.json`.

    Returns:
        The label set, or `None` where the file names no classes.
    """
    names = _label_names(values)
    if all(name == f"LABEL_{index}" for index, name in enumerate(names)):
        return None
    for known in map(load_label_set, label_set_names()):
        if tuple(map(str.lower, known.names)) == tuple(map(str.lower, names)):
            return known
    if len(names) == 1:
        return None
    generic = LabelSet.generic(len(names))
    return LabelSet(name="transformers", names=names, palette=generic.palette, ignore_index=generic.ignore_index)


def config_to_transformers(config: SegFormerConfig, label_set: LabelSet) -> dict[str, Any]:
    """The inverse of `config_from_transformers`.

    Args:
        config: The hyper-parameters.
        label_set: The names of the classes.

    Returns:
        The content of `config.json`.

    Raises:
        InvalidPresetError: The network has parts that transformers' SegFormer lacks.
    """
    _check_expressible(config)
    # Binary segmentation has two labels but one logit, and transformers one label per logit.
    names = label_set.names if label_set.num_classes == config.num_classes else (label_set.names[-1],)
    return {
        "model_type": "segformer",
        "architectures": ["SegformerForSemanticSegmentation"],
        **{theirs: _as_json(getattr(config.encoder, ours)) for theirs, ours in _ENCODER_FIELDS.items()},
        **{theirs: getattr(config, ours) for theirs, ours in _DECODER_FIELDS.items()},
        **_FIXED,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "initializer_range": 0.02,
        "layer_norm_eps": config.encoder.block_norm_epsilon,
        "semantic_loss_ignore_index": 255,
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
    }


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _label_names(values: Mapping[str, Any]) -> tuple[str, ...]:
    labels = values.get("id2label")
    if labels is None:
        count = values.get("num_labels", 2)  # transformers' default for every model
        labels = {str(index): f"LABEL_{index}" for index in range(count)} if isinstance(count, int) else None
    valid = isinstance(labels, Mapping) and labels and all(isinstance(name, str) for name in labels.values())
    if not valid or {str(key) for key in labels} != {str(index) for index in range(len(labels))}:
        raise InvalidPresetError(
            "`id2label` of config.json must map every class index from 0 on to a name; correct it or get it again."
        )
    return tuple(labels[key] for key in sorted(labels, key=int))


def _check_expressible(config: SegFormerConfig) -> None:
    problems = []
    if config.encoder is None:
        problems.append("a backbone of its own")
    elif config.encoder.positional_encoding != "mix_ffn":
        problems.append("a learned positional encoding")
    elif config.encoder.activation != "gelu":
        problems.append(f"the activation {config.encoder.activation}")
    if config.decoder_stages != (1, 2, 3, 4):
        problems.append(f"a decoder on the stages {config.decoder_stages}")
    if problems:
        raise InvalidPresetError(
            f"transformers' SegFormer cannot hold {' and '.join(problems)}; use `save_to_preset` for this model."
        )
