"""`config.json` of transformers, both ways."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segformer.errors import InvalidPresetError
from keras_segformer.label_sets import LabelSet, load_label_set
from keras_segformer.models import VARIANTS, SegFormerConfig
from keras_segformer.presets.transformers_config import (
    config_from_transformers,
    config_to_transformers,
    label_set_from_transformers,
)

EPSILONS = {"block_norm_epsilon": 1e-5, "stage_norm_epsilon": 1e-5}


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in ("micro", "nano")])
def test_round_trip(variant):
    config = VARIANTS[variant].replace(**EPSILONS)
    values = json.loads(json.dumps(config_to_transformers(config, load_label_set("ade20k"))))
    assert config_from_transformers(values) == config
    assert label_set_from_transformers(values) == load_label_set("ade20k")


def test_the_file_of_the_published_weights_is_b0(shared):
    values = json.loads((shared / "weights/b0_ade20k/config.json").read_text())
    assert config_from_transformers(values) == VARIANTS["b0"].replace(**EPSILONS)
    assert label_set_from_transformers(values) == load_label_set("ade20k")


def test_names_of_ones_own_are_kept():
    values = {"id2label": {"1": "scratch", "0": "dent"}}
    assert label_set_from_transformers(values).names == ("dent", "scratch")


def test_numbered_labels_are_no_names():
    assert label_set_from_transformers({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}) is None


def test_a_binary_model_has_one_label_there():
    values = config_to_transformers(VARIANTS["b0"].replace(num_classes=1), LabelSet.generic(1))
    assert values["id2label"] == {"0": "foreground"}


@pytest.mark.parametrize(
    "overrides",
    [
        {"positional_encoding": "learned"},
        {"activation": "hard_swish"},
        {"decoder_stages": (3, 4)},
        {"encoder": None},
    ],
)
def test_what_transformers_lacks_is_refused(overrides):
    config = SegFormerConfig.replace(VARIANTS["b0"], **overrides)
    with pytest.raises(InvalidPresetError, match="save_to_preset"):
        config_to_transformers(config, LabelSet.generic(150))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_act": "relu"}, "hidden_act='relu'"),
        ({"num_channels": 4}, "num_channels=4"),
        ({"hidden_sizes": None}, "embed_dims"),
        ({"hidden_sizes": [32, 64]}, "one per stage"),
        ({"depths": [2, 2, 2, "2"]}, "not a number"),
        ({"num_attention_heads": [3, 2, 5, 8]}, "attention heads"),
        ({"decoder_hidden_size": 25.5}, "whole number"),
        ({"id2label": ["road"]}, "id2label"),
        ({"id2label": {"0": "road", "2": "sky"}}, "id2label"),
        ({"id2label": {}}, "id2label"),
        ({"id2label": None, "num_labels": "many"}, "id2label"),
    ],
)
def test_wrong_values_are_named(change, message):
    values = config_to_transformers(VARIANTS["b0"], load_label_set("ade20k")) | change
    with pytest.raises(InvalidPresetError, match=message):
        config_from_transformers(values)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(config_to_transformers(VARIANTS["b0"], load_label_set("ade20k")))), value=JSON)
def test_any_json_value_gives_a_config_or_a_named_error(name, value):
    values = config_to_transformers(VARIANTS["b0"], load_label_set("ade20k")) | {name: value}
    try:
        config = config_from_transformers(values)
    except InvalidPresetError:
        return
    assert isinstance(config, SegFormerConfig)


@given(JSON)
def test_any_json_document_gives_a_config_or_a_named_error(document):
    with pytest.raises(InvalidPresetError):
        config_from_transformers(document)
