"""Row tiles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from comparison import random_map
from keras_segformer.conversion.graph.operations import resize, resized_rows
from keras_segformer.conversion.graph.tiles import row_tiles


@pytest.mark.parametrize("sources", [(), (32,), (32, 16, 8)])
@pytest.mark.parametrize("max_values", [1, 100, 700, 10_000])
def test_tiles_cover_all_rows_within_the_limit(sources, max_values):
    tiles = row_tiles(64, 25, max_values, sources)
    assert [tiles[0][0], tiles[-1][1]] == [0, 64]
    assert all(end == first for (_, end), (first, _) in itertools.pairwise(tiles))
    multiple = 64 // min(sources, default=64)
    assert all(first % multiple == 0 for first, _ in tiles)
    assert max(end - first for first, end in tiles) * 25 <= max(max_values, 25 * multiple)


@pytest.mark.parametrize(("max_values", "sources"), [(None, ()), (1, (32, 15)), (64 * 25, (8,))])
def test_one_tile(max_values, sources):
    assert row_tiles(64, 25, max_values, sources) == [(0, 64)]


@pytest.mark.parametrize(("most", "number"), [(1, 1), (3, 3), (None, 8)])
def test_so_many_tiles_at_most(most, number):
    assert len(row_tiles(64, 25, 8 * 25, [32, 16], most)) == number


@pytest.mark.parametrize("rows", [(0, 4), (4, 12), (12, 24), (20, 24), (0, 24)])
@pytest.mark.parametrize("rows_first", [False, True])
@pytest.mark.parametrize("clean", [False, True])
def test_upsampled_rows_equal_those_of_the_whole(rows, rows_first, clean):
    x = tf.constant(random_map(1, 6, 5, 3))
    whole = resize(x, (24, 17)).numpy()[:, slice(*rows)]
    found = resized_rows(x, (24, 17), rows, rows_first, clean)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-6 if rows_first else 0)
