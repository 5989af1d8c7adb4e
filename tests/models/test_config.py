from __future__ import annotations

import contextlib
import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segformer.models import VARIANTS, MixTransformerConfig, SegFormerConfig
from tiny import TINY, tiny_config

ENCODER_FIELDS = [field.name for field in dataclasses.fields(MixTransformerConfig)]
FIELDS = [field.name for field in dataclasses.fields(SegFormerConfig)]

# What Python's JSON reader may return, NaN, infinity and integers beyond any float included.
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=5) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("config", [*VARIANTS.values(), tiny_config(), SegFormerConfig(encoder=None)], ids=str)
def test_json_round_trip(config):
    assert SegFormerConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_lists_become_tuples_and_whole_floats_integers():
    config = SegFormerConfig.from_dict({"encoder": None, "num_classes": 3.0, "decoder_stages": [1, 3.0]})
    assert (config.num_classes, config.decoder_stages) == (3, (1, 3))
    assert type(config.num_classes) is int
    assert hash(config) == hash(SegFormerConfig(encoder=None, num_classes=3, decoder_stages=(1, 3)))


@given(name=st.sampled_from(ENCODER_FIELDS), value=JSON_VALUES)
def test_any_value_of_an_encoder_field_is_taken_or_refused(name, value):
    values = TINY.to_dict() | {name: value}
    try:
        config = MixTransformerConfig.from_dict(values)
    except ValueError:
        return
    assert MixTransformerConfig.from_dict(config.to_dict()) == config


@given(name=st.sampled_from(FIELDS), value=JSON_VALUES)
def test_any_value_of_a_field_is_taken_or_refused(name, value):
    try:
        config = SegFormerConfig.from_dict({"encoder": None} | {name: value})
    except ValueError:
        return
    assert SegFormerConfig.from_dict(config.to_dict()) == config
    assert all(math.isfinite(number) for number in (*config.image_mean, *config.image_std, config.decoder_dropout))


@given(values=JSON_VALUES)
def test_any_json_is_taken_or_refused(values):
    for cls in (SegFormerConfig, MixTransformerConfig):
        with contextlib.suppress(ValueError):
            assert isinstance(cls.from_dict(values), cls)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"num_classes": 0}, "`num_classes` must be at least 1; got 0"),
        ({"num_classes": True}, "`num_classes` holds True, not a number"),
        ({"num_classes": 2.5}, "`num_classes` holds 2.5, not a whole number"),
        ({"num_classes": "19"}, "`num_classes` holds '19', not a number"),
        ({"decoder_width": -1}, "`decoder_width` must be at least 1"),
        ({"decoder_stages": ()}, "`decoder_stages` are distinct ascending numbers from 1 to 4"),
        ({"decoder_stages": (2, 1)}, "`decoder_stages` are distinct ascending"),
        ({"decoder_stages": (0, 1)}, "`decoder_stages` are distinct ascending"),
        ({"decoder_stages": 4}, "`decoder_stages` must be a list"),
        ({"decoder_dropout": 1}, r"`decoder_dropout` must be in \[0, 1\)"),
        ({"output_stride": 2}, "`output_stride` is 1 or 4; got 2"),
        ({"input_size": (512,)}, r"`input_size` is \(height, width\)"),
        ({"input_size": (31, 64)}, "each at least 32"),
        ({"image_mean": (0, 0)}, "`image_mean` needs 3 values"),
        ({"image_std": (1, 0, 1)}, "`image_std` must be positive"),
        ({"image_mean": (math.nan, 0, 0)}, "`image_mean` holds nan, not a finite number"),
        ({"image_std": (1, 1, math.inf)}, "`image_std` holds inf, not a finite number"),
        ({"encoder": 5}, "`encoder` must be"),
        ({"embed_dims": (16, 32, 40)}, "`embed_dims` needs 4 values, one per stage"),
        ({"depths": (1, 0, 1, 1)}, "`depths` needs positive values"),
        ({"num_heads": (1, 3, 5, 8)}, "an embed dim of 32 cannot be split into 3 attention heads"),
        ({"drop_path_rate": -0.1}, r"`drop_path_rate` must be in \[0, 1\)"),
        ({"block_norm_epsilon": 0}, r"`block_norm_epsilon` must be in \(0, 1\)"),
        ({"positional_encoding": "sine"}, "`positional_encoding` is .* got 'sine'"),
        ({"activation": "sine"}, "`activation` is one of gelu, hard_swish, relu; got 'sine'"),
        ({"positional_resolution": (16, 16)}, "`positional_resolution` is"),
    ],
    ids=str,
)
def test_wrong_values_are_named(overrides, message):
    with pytest.raises(ValueError, match=f"Invalid SegFormer configuration: .*{message}"):
        tiny_config().replace(**overrides)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, r"SegFormerConfig lacks \['encoder'\]"),
        ({"encoder": None, "classes": 3}, r"SegFormerConfig has no \['classes'\]; its fields are"),
        ({"encoder": {"depths": [1, 1, 1, 1]}}, r"MixTransformerConfig lacks \['embed_dims'\]"),
        ([], "expected a mapping of SegFormerConfig fields, got list"),
    ],
    ids=str,
)
def test_wrong_dictionaries_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        SegFormerConfig.from_dict(values)


def test_replace_reaches_the_encoder():
    config = tiny_config().replace(num_classes=3, drop_path_rate=0.3)
    assert (config.num_classes, config.encoder.drop_path_rate) == (3, 0.3)
    assert config.encoder.embed_dims == TINY.embed_dims
    with pytest.raises(ValueError, match=r"\['depths'\] belong to the MiT encoder, which this model lacks"):
        SegFormerConfig(encoder=None).replace(depths=(1, 1, 1, 1))


@pytest.mark.parametrize(
    ("config", "name", "nearest"),
    [
        (tiny_config(), "num_clases", "num_classes"),
        (tiny_config(), "embed_dim", "embed_dims"),
        (TINY, "drop_path", "drop_path_rate"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(config, name, nearest):
    with pytest.raises(TypeError, match=f"no argument `{name}`; did you mean `{nearest}`"):
        config.replace(**{name: 1})


def test_stochastic_depth_grows_linearly_over_all_blocks():
    rates = VARIANTS["b0"].replace(drop_path_rate=0.7).encoder.drop_path_rates
    assert [len(stage) for stage in rates] == [2, 2, 2, 2]
    assert [rate for stage in rates for rate in stage] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])


@pytest.mark.parametrize(
    ("overrides", "same"),
    [
        ({}, True),
        ({"drop_path_rate": 0.5, "stage_norm_epsilon": 1e-3}, True),
        ({"output_stride": 4, "input_size": (32, 32), "image_mean": (0, 0, 0), "decoder_dropout": 0}, True),
        ({"num_classes": 6}, False),
        ({"decoder_stages": (1, 2)}, False),
        ({"num_heads": (1, 1, 1, 1)}, False),
        ({"depths": (1, 1, 2, 1)}, False),
    ],
    ids=str,
)
def test_same_weights(overrides, same):
    assert tiny_config().same_weights(tiny_config(**overrides)) is same
