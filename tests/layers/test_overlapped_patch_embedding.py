from __future__ import annotations

import pytest

from comparison import assert_close, numpy, random_map, randomize
from keras_segformer.layers import OverlappedPatchEmbedding
from keras_segformer.layers.shapes import convolved_size
from reference import convolution, layer_norm

pytestmark = pytest.mark.backend


@pytest.mark.parametrize(("patch_size", "stride"), [(7, 4), (3, 2), (4, 4), (5, 1)])
@pytest.mark.parametrize("size", [(8, 12), (9, 11)])
def test_is_a_convolution_and_a_norm(patch_size, stride, size):
    x = random_map(2, *size, 3)
    embedding = OverlappedPatchEmbedding(6, patch_size, stride, epsilon=1e-3)
    embedding.build(x.shape)
    randomize(embedding)
    kernel, bias, gamma, beta = (numpy(weight) for weight in embedding.weights)
    convolved = convolution(x.astype("float64"), kernel, bias, stride, padding=patch_size // 2)
    assert_close(embedding(x), layer_norm(convolved, gamma, beta, epsilon=1e-3))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [(512, 7, 4, 3, 128), (513, 7, 4, 3, 129), (33, 3, 2, 1, 17), (32, 4, 4, 2, 9), (None, 3, 2, 1, None)],
)
def test_convolved_size(size, kernel, stride, padding, expected):
    assert convolved_size(size, kernel, stride, padding) == expected
