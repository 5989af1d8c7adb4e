"""Calibration images."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion.quantize.calibration import make_calibration


def test_sets_are_disjoint_and_half_altered(pictures):
    calibration = make_calibration(list(pictures), (64, 64))
    np.testing.assert_array_equal(calibration.unaltered_measured, pictures[::4])
    assert (len(calibration.fitted), len(calibration.measured)) == (12, 4)
    fitted = {image.tobytes() for image in calibration.fitted}
    assert not fitted & {image.tobytes() for image in calibration.measured}
    assert len(fitted) == 12
    assert calibration.fitted.dtype == np.uint8


def test_any_size(pictures):
    calibration = make_calibration([image[: 20 + index, :50] for index, image in enumerate(pictures)], (32, 96))
    assert calibration.fitted.shape == (12, 32, 96, 3)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "There are 0 calibration images; name at least 4"),
        ([np.zeros((8, 8, 3), np.uint8)] * 3, "There are 3"),
        ([np.zeros((8, 8), np.uint8)] * 8, r"must be \(H, W, 3\)"),
        ([np.zeros((8, 8, 3), np.float32)] * 8, "uint8, RGB"),
    ],
)
def test_images_that_will_not_do(images, message):
    with pytest.raises(ValueError, match=message):
        make_calibration(images, (32, 32))
