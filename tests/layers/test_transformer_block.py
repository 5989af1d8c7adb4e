from __future__ import annotations

import numpy as np
import pytest

from comparison import assert_close, numpy, random_map, randomize
from keras_segformer.layers import TransformerBlock

pytestmark = pytest.mark.backend


def built(x: np.ndarray, **arguments) -> TransformerBlock:
    block = TransformerBlock(8, 2, sr_ratio=2, **arguments)
    block.build(x.shape)
    randomize(block)
    return block


def test_adds_two_branches():
    x = random_map(2, 4, 6, 8)
    block = built(x)
    middle = x + numpy(block.attention(block.norm1(x)))
    expected = middle + numpy(block.ffn(block.norm2(middle.astype("float32"))))
    assert_close(block(x), expected)


def test_drops_each_branch_by_itself():
    x = random_map(200, 4, 4, 8)
    block = built(x, drop_path_rate=0.5)
    attention = 2 * numpy(block.attention(block.norm1(x)))
    middles = [x, x + attention]
    outcomes = [x, x + attention] + [x + 2 * numpy(block.ffn(block.norm2(x.astype("float32")))) for x in middles]
    trained = numpy(block(x, training=True))
    distances = np.array([np.abs(outcome - trained).max(axis=(1, 2, 3)) for outcome in outcomes])
    # Every sample is one of the four outcomes, and each of them occurs about as often as the others.
    assert distances.min(axis=0).max() < 1e-3
    counts = np.bincount(distances.argmin(axis=0), minlength=4)
    assert counts.min() > 25


def test_hands_its_arguments_on():
    block = TransformerBlock(8, 2, 2, mlp_ratio=3, epsilon=0.01, reduction_epsilon=0.02, convolution=False)
    assert (block.norm1.epsilon, block.norm2.epsilon, block.attention.reduction_norm.epsilon) == (0.01, 0.01, 0.02)
    assert (block.ffn.hidden_dim, block.ffn.convolution) == (24, False)
