from __future__ import annotations

import numpy as np
import pytest

from comparison import assert_close, numpy, outputs_of, random_map
from keras_segformer.models import VARIANTS, MixTransformer
from tiny import TINY, tiny_config


@pytest.mark.parametrize(
    ("size", "grids"),
    [
        ((32, 32), [(8, 8), (4, 4), (2, 2), (1, 1)]),
        ((64, 96), [(16, 24), (8, 12), (4, 6), (2, 3)]),
        ((65, 97), [(17, 25), (9, 13), (5, 7), (3, 4)]),
    ],
)
def test_features_halve_and_round_up(size, grids):
    encoder = MixTransformer(TINY)
    features = [numpy(feature) for feature in encoder(random_map(2, *size, 3))]
    expected = [(2, *grid, channels) for grid, channels in zip(grids, TINY.embed_dims, strict=True)]
    assert [feature.shape for feature in features] == expected
    assert encoder.compute_output_shape((2, *size, 3)) == expected
    assert all(np.isfinite(feature).all() for feature in features)


def test_features_are_reachable_by_name():
    encoder = MixTransformer(TINY)
    assert encoder.output_names == ["stage1_norm", "stage2_norm", "stage3_norm", "stage4_norm"]
    assert [encoder.get_layer(name).output for name in encoder.output_names] == encoder.outputs


def test_classification_head_is_a_linear_map_of_the_mean_token():
    classifier = MixTransformer(TINY, num_classes=7)
    encoder = MixTransformer(TINY)
    encoder.set_weights(classifier.get_weights()[:-2])
    images = random_map(2, 65, 64, 3)
    tokens = numpy(encoder(images)[3]).mean(axis=(1, 2))
    kernel, bias = (numpy(weight) for weight in classifier.get_layer("head").weights)
    assert_close(classifier(images), tokens @ kernel + bias)


@pytest.mark.backend
def test_learned_position_replaces_the_convolution():
    config = tiny_config(positional_encoding="learned", positional_resolution=(64, 96)).encoder
    encoder = MixTransformer(config)
    paths = [variable.path for variable in encoder.weights]
    assert not any("depthwise" in path for path in paths)
    shapes = [tuple(variable.shape) for variable in encoder.weights if variable.path.endswith("embedding/embedding")]
    assert shapes == [(1, 16, 24, 16), (1, 8, 12, 32), (1, 4, 6, 40), (1, 2, 3, 64)]
    # Away from the border nothing but the position tells the tokens of a constant picture apart.
    constant = numpy(outputs_of(encoder, np.ones((1, 128, 128, 3), "float32"))[0])[0, 2:-2, 2:-2]
    assert constant.std(axis=(0, 1)).max() > 1e-3


def test_arguments_reach_the_blocks():
    epsilons = {
        "patch_norm_epsilon": 0.01,
        "block_norm_epsilon": 0.02,
        "reduction_norm_epsilon": 0.03,
        "stage_norm_epsilon": 0.04,
    }
    config = VARIANTS["b0"].replace(drop_path_rate=0.7, mlp_ratios=(8, 8, 4, 2), **epsilons).encoder
    encoder = MixTransformer(config)
    blocks = [encoder.get_layer(f"stage{stage}_block{block}") for stage in range(1, 5) for block in (1, 2)]
    assert [block.drop_path.rate for block in blocks] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    assert [block.ffn.hidden_dim for block in blocks[::2]] == [256, 512, 640, 512]
    assert [block.attention.num_heads for block in blocks[::2]] == [1, 2, 5, 8]
    assert [block.attention.sr_ratio for block in blocks[::2]] == [8, 4, 2, 1]
    assert encoder.get_layer("stage3_patch_embedding").norm.epsilon == 0.01
    assert encoder.get_layer("stage3_norm").epsilon == 0.04
    assert (blocks[4].norm1.epsilon, blocks[4].norm2.epsilon, blocks[4].attention.epsilon) == (0.02, 0.02, 0.03)


@pytest.mark.parametrize("size", [(28, 64), (64, 28)])
def test_too_small_an_image_is_refused(size):
    with pytest.raises(ValueError, match="at least 32x32 pixels"):
        MixTransformer(TINY)(random_map(1, *size, 3))
