from __future__ import annotations

import pytest

from comparison import assert_close, numpy, random_map, randomize
from keras_segformer.layers import PositionalEmbedding
from reference import bilinear_resize

pytestmark = pytest.mark.backend


@pytest.mark.parametrize("size", [(4, 6), (7, 5), (2, 12)])
def test_adds_its_vectors_interpolated_at_other_sizes(size):
    x, layer = random_map(2, *size, 3), PositionalEmbedding((4, 6))
    layer.build(x.shape)
    randomize(layer)
    vectors = numpy(layer.embedding)
    assert_close(layer(x), x + (vectors if size == (4, 6) else bilinear_resize(vectors, size)))
