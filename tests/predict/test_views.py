"""Several views of one picture: scales, mirror images, windows."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from keras_segformer.predict import segment
from keras_segformer.predict.interpolation import resized_rows
from keras_segformer.predict.logits import quarter_logits
from keras_segformer.predict.sizes import resize_shape
from keras_segformer.predict.views import SCALES, label_map, network_views

FEW_SCALES = (0.75, 1.0, 1.5)


def resized(images, size):
    return keras.ops.image.resize(images, size, interpolation="bilinear", antialias=False)


def literal_probabilities(model, image, size, scales, mirrorings) -> np.ndarray:
    """The mean, over scales and mirror images, of the softmax of logits enlarged to the picture's own size."""
    total = np.zeros((*image.shape[:2], model.label_set.num_classes))
    for scale, is_mirrored in itertools.product(scales, mirrorings):
        seen = image[:, ::-1] if is_mirrored else image
        network_size = resize_shape(image.shape[:2], size, model.config.input_size, scale)
        logits = resized(
            model.quarter(resized(seen[None].astype("float32"), network_size), training=False), image.shape[:2]
        )
        if logits.shape[-1] == 1:
            logits = keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=-1)
        probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(logits))[0]
        total += probabilities[:, ::-1] if is_mirrored else probabilities
    return total / (len(scales) * len(mirrorings))


def assert_best(labels: np.ndarray, values: np.ndarray) -> None:
    """The labels are the argmax wherever rounding cannot decide it."""
    second, first = np.sort(values, axis=-1)[..., -2:].transpose(2, 0, 1)
    clear = first - second > 1e-4
    assert clear.mean() > 0.95
    assert labels.dtype == np.int32
    assert len(np.unique(labels)) > 1
    np.testing.assert_array_equal(labels[clear], values.argmax(axis=-1)[clear])


@pytest.mark.parametrize("size", ["aligned", "square", "native", (96, 64)])
def test_scales_and_mirror_images_are_averaged_as_probabilities(model, noise, size):
    views = list(network_views(model, noise, size, FEW_SCALES, flip=True))
    assert len(views) == 6
    expected = literal_probabilities(model, noise, size, FEW_SCALES, (False, True))
    assert_best(label_map(views, noise.shape[:2]), expected)


def test_a_mirror_image_alone(model, noise):
    labels = label_map(list(network_views(model, noise, flip=True)), noise.shape[:2])
    assert_best(labels, literal_probabilities(model, noise, "aligned", (1.0,), (False, True)))
    mirrored = label_map(list(network_views(model, noise[:, ::-1], flip=True)), noise.shape[:2])
    assert (mirrored[:, ::-1] == labels).mean() > 0.999  # all but ties


def test_binary_models(binary_model, noise):
    labels = label_map(list(network_views(binary_model, noise, scales=FEW_SCALES)), noise.shape[:2])
    assert_best(labels, literal_probabilities(binary_model, noise, "aligned", FEW_SCALES, (False,)))


def test_one_view_is_what_segment_sees(model, noise):
    [view] = network_views(model, noise)
    np.testing.assert_array_equal(label_map([view], noise.shape[:2]), segment(model, noise))


def test_windows_are_averaged_as_logits(model, noise):
    size, window = (150, 170), 96  # stride 64
    image = resized_rows(noise, size)
    sums, counts = np.zeros((38, 43, 7)), np.zeros((38, 43, 1))
    for top, left in itertools.product((0, 64), (0, 64, 96)):
        logits = quarter_logits(model, image[None, top : top + window, left : left + window])[0]
        place = np.s_[top // 4 : top // 4 + logits.shape[0], left // 4 : left // 4 + logits.shape[1]]
        sums[place] += logits
        counts[place] += 1
    [view] = network_views(model, noise, size, window=window)
    expected = keras.ops.convert_to_numpy(resized(sums / counts, noise.shape[:2]))
    assert_best(label_map([view], noise.shape[:2]), expected)


def test_mirrored_windows(cellwise_model, noise):
    whole = label_map(list(network_views(cellwise_model, noise, (160, 192), flip=True)), noise.shape[:2])
    windows = list(network_views(cellwise_model, noise, (160, 192), flip=True, window=64))
    assert (label_map(windows, noise.shape[:2]) == whole).mean() > 0.999  # all but ties


def test_scales_of_the_paper():
    assert SCALES == (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
