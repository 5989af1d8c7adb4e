"""The function that is exported: its outputs, inputs, sizes and runs of rows."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.inference_function import inference_function
from keras_segformer.conversion.graph.network import read_network
from keras_segformer.conversion.graph.tiles import UNTILED, Tiling
from keras_segformer.ops import with_channel_per_label

SMALL = Tiling(scores=2**9, fused=2**11, enlarged=2**13)


def outputs(model, images, output, tiling=None):
    function = inference_function(fold_all(read_network(model)), images.shape[1:3], images.dtype.name, output, tiling)
    [(name, values)] = function(keras.ops.convert_to_tensor(images)).items()
    assert name == output
    return values.numpy()


def test_labels(model, photograph):
    images = photograph(64, 96)
    logits = with_channel_per_label(model.predict_on_batch(images))
    labels = outputs(model, images, "labels", SMALL)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, logits.argmax(-1))


def test_labels_at_full_size(model, photograph):
    images = photograph(64, 96)
    logits = keras.ops.image.resize(model(images), (64, 96), data_format="channels_last")
    expected = with_channel_per_label(keras.ops.convert_to_numpy(logits)).argmax(-1)
    np.testing.assert_array_equal(outputs(model, images, "labels_full", SMALL), expected)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (61, 100), (128, 64)])
def test_sizes(tiny, photograph, size):
    images = photograph(*size)
    expected = tiny.predict_on_batch(images)
    assert_close(outputs(tiny, images, "logits", SMALL), expected)
    assert outputs(tiny, images, "labels_full", SMALL).shape == (1, *size)


def test_tiles_change_no_label(tiny, photograph):
    images = photograph(64, 96)
    expected = outputs(tiny, images, "labels_full", UNTILED)
    np.testing.assert_array_equal(outputs(tiny, images, "labels_full", SMALL), expected)


def test_pixels_may_be_floats(tiny, photograph):
    images = photograph(64, 64)
    floats = outputs(tiny, images.astype("float32"), "logits")
    np.testing.assert_array_equal(floats, outputs(tiny, images, "logits"))


def test_small_tiles_are_many(tiny):
    function = inference_function(fold_all(read_network(tiny)), (64, 64), "float32", "logits", SMALL)
    operations = [operation.type for operation in function.graph.get_operations()]
    assert operations.count("Softmax") > len(read_network(tiny).stages)
    assert operations.count("Relu") > 1
