"""Values of attention without their mean: the same function, of whose products INT8 keeps more."""

from __future__ import annotations

import numpy as np
import pytest

from comparison import assert_close
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.center_values import center_values
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize.float_file import FloatFile
from keras_segformer.conversion.quantize.quantization_recipe import QuantizationRecipe
from keras_segformer.conversion.quantize.statistics import collect_statistics
from keras_segformer.conversion.report.fidelity import compare_outputs, run_file
from keras_segformer.conversion.tflite.export import export


def test_same_function(model, model_name, traced_logits, logits_of):
    network = center_values(fold_all(read_network(model)))
    assert_close(traced_logits(network, 64, 96), logits_of(model_name, 64, 96))


def divergence_of_static_mixtures(network, pictures):
    """Of a file in which only the products of attention weights and values are integers."""
    traced = trace_network(network, pictures.shape[1:3])
    file = FloatFile(export(traced.function, "float32"), traced.layers)
    file = file.with_statistics(collect_statistics(file.content, file.file, (), pictures))
    mixtures = {name for name, layer in file.layers.items() if layer.layer.role == "mixture"}
    modes = {name: "static" if name in mixtures else "float" for name in file.layers}
    recipe = QuantizationRecipe(layers=modes, operators={"SOFTMAX": "static"}, rounding="nearest")
    outputs = (run_file(content, pictures) for content in (file.content, file.quantize(recipe)))
    return compare_outputs(*outputs).divergence


def test_integers_keep_more(tiny, photograph):
    """With 256 keys, where INT8 rounds most weights to 0."""
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    network = fold_all(read_network(tiny))
    pictures = np.concatenate([photograph(512, 512), photograph(512, 512)[:, ::-1]])
    before, after = (divergence_of_static_mixtures(each, pictures) for each in (network, center_values(network)))
    print(f"divergence by static mixtures: {before:.1e}, of centred values {after:.1e}")
    assert after < before / 3
