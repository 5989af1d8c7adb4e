"""Quantisation-aware fine-tuning."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from comparison import squared_error
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.network import map_layers
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize.fine_tune import fine_tune
from keras_segformer.conversion.quantize.float_file import FloatFile
from keras_segformer.conversion.quantize.quantization_recipe import QuantizationRecipe
from keras_segformer.conversion.report.fidelity import run_file
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import operators

SIZE = (64, 64)


def coarse_recipe(file, **options):
    layers = {name: "dynamic" if layer.operator == "CONV_2D" else "float" for name, layer in file.layers.items()}
    return QuantizationRecipe(layers=layers, rounding="nearest", **options)


@pytest.mark.parametrize("options", [{"bits": 4}, {"bits": 4, "per_channel": False}], ids=["channels", "tensor"])
def test_file_gets_closer_to_the_float_network(tiny, float_file, pictures, options):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    recipe = coarse_recipe(float_file, **options)
    before = float_file.quantize(recipe)
    tuned = fine_tune(fold_all(read_network(tiny)), recipe, pictures[:6], steps=150, learning_rate=1e-3)
    traced = trace_network(tuned, SIZE)
    after = FloatFile(export(traced.function, "float32"), traced.layers).quantize(recipe)
    assert operators(after) == operators(before)
    assert len(after) == len(before)
    expected, others = run_file(float_file.content, pictures[6:]), pictures[6:]  # not trained on
    # What it trains on: the labels and probabilities of random weights are too sure to tell.
    errors = [squared_error(run_file(content, others), expected) for content in (before, after)]
    assert errors[1] < 0.5 * errors[0]


def test_only_quantised_layers_change(tiny, float_file, pictures):
    network = fold_all(read_network(tiny))
    recipe = coarse_recipe(float_file)
    layers = dict.fromkeys(recipe.layers, "float") | {"stage2/block1/expand": "dynamic"}
    tuned = fine_tune(network, dataclasses.replace(recipe, layers=layers, bits=4), pictures, steps=2)
    changed = []
    old = layers_of(network)
    for name, layer in layers_of(tuned).items():
        if not np.allclose(layer.kernel, old[name].kernel, atol=1e-7):
            changed.append(name)
    assert changed == ["stage2/block1/expand"]


def test_nothing_to_train(tiny, float_file, pictures):
    network = fold_all(read_network(tiny))
    recipe = coarse_recipe(float_file)
    with pytest.raises(ValueError, match="nothing to train"):
        fine_tune(network, recipe, pictures[:0])
    with pytest.raises(ValueError, match="nothing to train"):
        fine_tune(network, dataclasses.replace(recipe, layers={}), pictures)


def layers_of(network):
    found = {}

    def note(layer):
        found[layer.name] = layer
        return layer

    map_layers(network, note)
    return found
