"""Every layout names every variable, each place once."""

from __future__ import annotations

import pytest

from keras_segformer.errors import InvalidPresetError
from keras_segformer.models import MixTransformer, SegFormerNetwork
from keras_segformer.presets.layouts import (
    LAYOUTS,
    OFFICIAL,
    OFFICIAL_IMAGENET,
    TIMM_PVT_V2,
    TRANSFORMERS,
    Source,
    detect_layout,
    source_of,
)
from keras_segformer.presets.torch_weights import parameters
from tiny import TINY, tiny_config

SEGMENTATION = (TRANSFORMERS, OFFICIAL)
CLASSIFICATION = (TRANSFORMERS, OFFICIAL_IMAGENET, TIMM_PVT_V2)


def _sources(model, layout):
    return [source_of(path, layout) for path in parameters(model)]


@pytest.mark.parametrize("layout", SEGMENTATION, ids=lambda layout: layout.name)
def test_a_segmenter_has_a_place_for_every_variable(layout):
    sources = _sources(SegFormerNetwork(tiny_config()), layout)
    assert None not in sources
    assert len(set(sources)) == len(sources)


@pytest.mark.parametrize("layout", CLASSIFICATION, ids=lambda layout: layout.name)
def test_a_classifier_has_a_place_for_every_variable(layout):
    sources = _sources(MixTransformer(TINY, num_classes=10), layout)
    assert None not in sources
    assert len(set(sources)) == len(sources)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_is_recognised_by_its_own_keys_alone(layout):
    keys = [source.key for source in _sources(MixTransformer(TINY), layout)]
    assert detect_layout(keys) is layout


def test_foreign_keys_are_named():
    with pytest.raises(InvalidPresetError, match=r"no SegFormer layout.*conv1\.weight"):
        detect_layout(["conv1.weight"])


@pytest.mark.parametrize(
    ("path", "layout", "expected"),
    [
        (
            "stage1_patch_embedding/projection/kernel",
            TIMM_PVT_V2,
            Source("patch_embed.proj.weight", "convolution"),
        ),
        (
            "stage3_patch_embedding/norm/gamma",
            TIMM_PVT_V2,
            Source("stages.2.downsample.norm.weight"),
        ),
        (
            "stage2_block2/ffn/depthwise/kernel",
            OFFICIAL,
            Source("backbone.block2.1.mlp.dwconv.dwconv.weight", "depthwise"),
        ),
        (
            "stage4_block1/attention/key/bias",
            OFFICIAL_IMAGENET,
            Source("block4.0.attn.kv.bias", "vector", half=0),
        ),
        (
            "decoder/batch_norm/moving_variance",
            TRANSFORMERS,
            Source("decode_head.batch_norm.running_var"),
        ),
        ("decoder/fusion/fuse_kernel", OFFICIAL_IMAGENET, None),
        ("stage1_positional_embedding/embedding", TRANSFORMERS, None),
        ("seed_generator_1/seed_generator_state", TRANSFORMERS, None),
    ],
)
def test_places(path, layout, expected):
    assert source_of(path, layout) == expected
