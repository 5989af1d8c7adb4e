"""Pictures with truth and prediction."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.label_sets import LabelSet
from keras_segformer.training.example_pictures import draw_example
from keras_segformer.visualization import overlay


@pytest.mark.parametrize("size", [(300, 40), (20, 37), (160, 160)])
def test_all_three_stand_side_by_side(size):
    label_set = LabelSet.generic(3)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    truth, prediction = rng.choice(np.uint8([0, 1, 2, 255]), size), rng.choice(np.uint8([0, 1, 2]), size)
    drawn = draw_example(image, truth, prediction, label_set)
    height, width = size
    gap = 6
    np.testing.assert_array_equal(drawn[:height, :width], image)
    np.testing.assert_array_equal(drawn[:height, width + gap : 2 * width + gap], overlay(image, truth, label_set))
    right = 2 * (width + gap)
    np.testing.assert_array_equal(drawn[:height, right : right + width], overlay(image, prediction, label_set))
    assert (drawn[height:, :right] == 255).all()
