"""Layers of a file."""

from __future__ import annotations

import dataclasses
import re

import pytest

from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.network import map_layers
from keras_segformer.conversion.graph.tiles import UNTILED, Tiling
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize.file_layers import find_layers
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import read_tflite

TILED = Tiling(scores=2**9, fused=2**11)


def read(network, **options):
    traced = trace_network(network, (64, 64), **options)
    file = read_tflite(export(traced.function, "float32"))
    return file, find_layers(file, traced.layers)


@pytest.mark.parametrize(("tiling", "output"), [(UNTILED, "logits"), (TILED, "labels")], ids=["untiled", "tiled"])
def test_each_operation_belongs_to_a_layer(model, tiling, output):
    network = fold_all(read_network(model))
    file, layers = read(network, output=output, tiling=tiling)
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "BATCH_MATMUL")
    assert sum(len(layer.nodes) for layer in layers.values()) == sum(node.name in kinds for node in file.nodes)
    names = [tensor.name for node in file.nodes for tensor in node.outputs]
    for name, layer in layers.items():
        assert layer.name == name
        assert {each for each in names if re.search(layer.output_pattern, each)} == {
            node.outputs[0].name for node in layer.nodes
        }
        assert len({node.inputs[1].name for node in layer.nodes}) == 1  # row tiles share their weights
        if layer.has_weights and layer.layer.role != "query":  # whose weights are multiplied by the scale
            assert layer.kernel.size == getattr(layer.layer, "kernel", getattr(layer.layer, "gamma", None)).size
    assert "decoder/classifier" in layers
    mapped = []
    map_layers(network, lambda layer: mapped.append(layer.name) or layer)
    assert {name for name, layer in layers.items() if layer.operator == "CONV_2D"} <= set(mapped)


def test_tiles_change_neither_layers_nor_their_arithmetic(tiny):
    network = fold_all(read_network(tiny))
    (_, untiled), (_, tiled) = (read(network, tiling=tiling) for tiling in (UNTILED, TILED))
    assert {name: layer.macs for name, layer in untiled.items()} == {name: layer.macs for name, layer in tiled.items()}
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


def test_file_of_another_function(float_file):
    node = next(node for node in float_file.file.nodes if node.name == "CONV_2D")
    foreign = [dataclasses.replace(tensor, name="conv2d_17") for tensor in (node.inputs[1], node.outputs[0])]
    node = dataclasses.replace(node, inputs=(node.inputs[0], foreign[0]), outputs=(foreign[1],))
    file = dataclasses.replace(float_file.file, nodes=(node, *float_file.file.nodes))
    with pytest.raises(ValueError, match="'conv2d_17' belongs to none of the layers"):
        find_layers(file, float_file.records)
