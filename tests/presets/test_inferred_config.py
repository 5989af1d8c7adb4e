"""Hyper-parameters read off shapes."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.errors import InvalidPresetError, WeightsMismatchError
from keras_segformer.models import VARIANTS
from keras_segformer.presets.inferred_config import infer_config
from keras_segformer.presets.layouts import OFFICIAL, OFFICIAL_IMAGENET, TIMM_PVT_V2, source_of


def _shapes(config, layout):
    """The tensors that tell a config, as empty arrays: no memory, any size."""
    encoder = config.encoder
    tensors = {}

    def put(path, shape):
        source = source_of(path, layout)
        if source:
            tensors[source.key] = np.broadcast_to(np.float32(0), shape)

    for stage, dim in enumerate(encoder.embed_dims):
        kernel, sr_ratio = encoder.patch_sizes[stage], encoder.sr_ratios[stage]
        put(f"stage{stage + 1}_patch_embedding/projection/kernel", (dim, 3, kernel, kernel))
        for block in range(encoder.depths[stage]):
            prefix = f"stage{stage + 1}_block{block + 1}"
            put(f"{prefix}/norm1/gamma", (dim,))
            put(f"{prefix}/ffn/expand/kernel", (dim * encoder.mlp_ratios[stage], dim))
            if sr_ratio > 1:
                put(f"{prefix}/attention/reduction/kernel", (dim, dim, sr_ratio, sr_ratio))
    put("decoder/fusion/fuse_kernel", (config.decoder_width, 4 * config.decoder_width, 1, 1))
    put("decoder/classifier/kernel", (config.num_classes, config.decoder_width, 1, 1))
    put("head/kernel", (config.num_classes, encoder.embed_dims[-1]))
    return tensors


@pytest.mark.parametrize("layout", [OFFICIAL, OFFICIAL_IMAGENET, TIMM_PVT_V2], ids=lambda layout: layout.name)
@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in ("micro", "nano")])
def test_every_variant_is_recognised(variant, layout):
    config = VARIANTS[variant].replace(num_classes=19)
    assert infer_config(_shapes(config, layout), layout) == config


def test_a_missing_stage_is_named():
    tensors = _shapes(VARIANTS["b0"], OFFICIAL)
    del tensors["backbone.patch_embed3.proj.weight"]
    with pytest.raises(WeightsMismatchError, match=r"backbone\.patch_embed3\.proj\.weight"):
        infer_config(tensors, OFFICIAL)


def test_a_tensor_of_another_rank_is_named():
    tensors = _shapes(VARIANTS["b0"], OFFICIAL)
    tensors["backbone.block2.0.mlp.fc1.weight"] = np.zeros(())
    with pytest.raises(WeightsMismatchError, match=r"backbone\.block2\.0\.mlp\.fc1\.weight.*2 axes"):
        infer_config(tensors, OFFICIAL)


def test_widths_that_make_no_segformer_are_refused():
    tensors = _shapes(VARIANTS["b0"], OFFICIAL)
    tensors["backbone.patch_embed2.proj.weight"] = np.zeros((63, 32, 3, 3), "float32")
    with pytest.raises(InvalidPresetError, match="attention heads"):
        infer_config(tensors, OFFICIAL)
