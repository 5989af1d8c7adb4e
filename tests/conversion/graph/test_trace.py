"""The traced function: its outputs, inputs, sizes and row tiles."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.network import Affine, DepthwiseConvolution, Product
from keras_segformer.conversion.graph.tiles import UNTILED, Tiling
from keras_segformer.conversion.graph.trace import output_shape, trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.ops import with_channel_per_label

SMALL = Tiling(scores=2**9, fused=2**11, enlarged=2**13)


def outputs(model, images, output, tiling=None):
    network, (batch_size, *size, _) = fold_all(read_network(model)), images.shape
    traced = trace_network(network, tuple(size), images.dtype.name, output, tiling, batch_size)
    [(name, values)] = traced.function(keras.ops.convert_to_tensor(images)).items()
    assert name == output
    assert values.shape == output_shape(network, tuple(size), output, batch_size)
    return values.numpy()


def test_labels(model, model_name, photograph, logits_of):
    images = photograph(64, 96)
    logits = with_channel_per_label(logits_of(model_name, 64, 96))
    labels = outputs(model, images, "labels", SMALL)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, logits.argmax(-1))


def test_probabilities(model, model_name, photograph, logits_of):
    images = photograph(64, 96)
    logits = with_channel_per_label(logits_of(model_name, 64, 96))
    if model.config.num_classes == 1:  # of one logit, the other class has 0
        logits = np.concatenate([np.zeros_like(logits[..., 1:]), logits_of(model_name, 64, 96)], axis=-1)
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    assert_close(outputs(model, images, "probabilities", SMALL), expected)


def test_labels_at_full_size(model, model_name, photograph, logits_of):
    images = photograph(64, 96)
    logits = keras.ops.image.resize(logits_of(model_name, 64, 96), (64, 96), data_format="channels_last")
    expected = with_channel_per_label(keras.ops.convert_to_numpy(logits)).argmax(-1)
    np.testing.assert_array_equal(outputs(model, images, "labels_full", SMALL), expected)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (61, 100), (128, 64)])
def test_sizes(tiny, photograph, logits_of, size):
    images = photograph(*size)
    assert_close(outputs(tiny, images, "logits", SMALL), logits_of("tiny", *size))
    assert outputs(tiny, images, "labels_full", SMALL).shape == (1, *size)


def test_tiles_do_not_change_labels(tiny, photograph):
    images = photograph(64, 96)
    expected = outputs(tiny, images, "labels_full", UNTILED)
    np.testing.assert_array_equal(outputs(tiny, images, "labels_full", SMALL), expected)


def test_tiles_of_a_batch(tiny, photograph):
    """Tiles of the same number of values, so that those of two images have fewer rows."""
    images = np.concatenate([photograph(64, 96), photograph(64, 96)[:, :, ::-1]])
    found, expected = (outputs(tiny, images, "labels_full", tiling) for tiling in (SMALL, UNTILED))
    np.testing.assert_array_equal(found, expected)


def test_pixels_may_be_floats(tiny, photograph):
    images = photograph(64, 64)
    floats = outputs(tiny, images.astype("float32"), "logits")
    np.testing.assert_array_equal(floats, outputs(tiny, images, "logits"))


@pytest.fixture(scope="module")
def tiled(tiny):
    return trace_network(fold_all(read_network(tiny)), (64, 64), "float32", "logits", SMALL)


def test_small_tiles_are_many(tiny, tiled):
    operations = [operation.type for operation in tiled.function.graph.get_operations()]
    assert operations.count("Softmax") > len(tiny.config.encoder.depths)
    assert operations.count("Relu") > 1


def test_layers_are_recorded_with_their_scopes(tiny, tiled):
    operations = tiled.function.graph.get_operations()
    kinds = {"Conv2D": [], "DepthwiseConv2dNative": [], "BatchMatMulV2": []}
    for operation in operations:
        if operation.type in kinds:
            kinds[operation.type].append(operation.name.rpartition("/")[0])
    scopes = {scope: record.layer for record in tiled.layers for scope in record.scopes}
    assert sorted(scopes) == sorted(scope for found in kinds.values() for scope in found)
    assert {type(scopes[scope]) for scope in kinds["BatchMatMulV2"]} == {Product}
    assert {type(scopes[scope]) for scope in kinds["DepthwiseConv2dNative"]} == {Affine, DepthwiseConvolution}
    names = [record.layer.name for record in tiled.layers]
    assert len(set(names)) == len(names)
    assert names[:2] == ["stage1/embedding", "stage1/start"]
    assert names[-1] == "decoder/classifier"
    queries = next(record for record in tiled.layers if record.layer.name == "stage1/block1/query")
    assert queries.scopes[:2] == ("stage1/block1/query", "stage1/block1/query_1")
    assert queries.layer.kernel.shape == (16, 16)


def test_layer_that_computes_the_output_is_known(tiny, tiled):
    assert not any(record.computes_output for record in tiled.layers)  # the tiles are concatenated
    untiled = trace_network(fold_all(read_network(tiny)), (64, 64), tiling=UNTILED)
    assert [record.layer.name for record in untiled.layers if record.computes_output] == ["decoder/classifier"]
