"""Layers of a file."""

from __future__ import annotations

import dataclasses
import re

import pytest

from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.inference_function import inference_function
from keras_segformer.conversion.graph.network import read_network
from keras_segformer.conversion.graph.tiles import UNTILED, Tiling
from keras_segformer.conversion.quantize.layers import find_layers
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import read_tflite

TILED = Tiling(scores=2**9, fused=2**11)


@pytest.mark.parametrize("output", ["logits", "labels"])
@pytest.mark.parametrize("tiling", [UNTILED, TILED], ids=["whole", "tiled"])
def test_every_operation_belongs_to_a_layer(model, tiling, output):
    network = fold_all(read_network(model))
    file = read_tflite(export(inference_function(network, (64, 64), output=output, tiling=tiling), "float32"))
    layers = find_layers(file)
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "BATCH_MATMUL")
    assert sum(len(layer.nodes) for layer in layers.values()) == sum(node.name in kinds for node in file.nodes)
    names = [tensor.name for node in file.nodes for tensor in node.outputs]
    for layer in layers.values():
        assert {name for name in names if re.search(layer.pattern, name)} == {
            node.outputs[0].name for node in layer.nodes
        }
        assert len({node.inputs[1].name for node in layer.nodes}) == 1  # the runs of rows share their weights
    assert {name for name in layers if name.startswith("decoder/")} >= {"decoder/classifier"}


def test_tiles_change_neither_layers_nor_their_arithmetic(tiny):
    network = fold_all(read_network(tiny))
    whole, tiled = (
        find_layers(read_tflite(export(inference_function(network, (64, 64), tiling=tiling), "float32")))
        for tiling in (UNTILED, TILED)
    )
    assert {name: layer.macs for name, layer in whole.items()} == {name: layer.macs for name, layer in tiled.items()}
    assert max(len(layer.nodes) for layer in tiled.values()) > 1


def test_arithmetic(float_file):
    classifier = float_file.layers["decoder/classifier"]
    out, _, _, channels = classifier.kernel.shape
    assert classifier.macs == 16 * 16 * out * channels
    depthwise = float_file.layers["stage1/block1/depthwise"]
    assert depthwise.macs == 16 * 16 * 9 * depthwise.kernel.shape[3]
    scores = float_file.layers["stage1/block1/scores"]
    assert not scores.has_weights
    queries, keys = scores.nodes[0].inputs[0].shape, scores.nodes[0].outputs[0].shape[-1]
    assert scores.macs == queries[1] * queries[2] * queries[3] * keys


def test_foreign_file(float_file):
    node = next(node for node in float_file.file.nodes if node.name == "CONV_2D")
    strange = [dataclasses.replace(tensor, name="conv2d_17") for tensor in (node.inputs[1], node.outputs[0])]
    node = dataclasses.replace(node, inputs=(node.inputs[0], strange[0]), outputs=(strange[1],))
    with pytest.raises(ValueError, match="which is none of a layer"):
        find_layers(dataclasses.replace(float_file.file, nodes=(node, *float_file.file.nodes)))
