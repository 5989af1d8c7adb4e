"""Statistics of the tensors of a float file."""

from __future__ import annotations

import numpy as np

from keras_segformer.conversion.quantize import statistics
from keras_segformer.conversion.quantize.statistics import collect_statistics
from keras_segformer.conversion.tflite.outputs import with_outputs
from keras_segformer.runtime import TFLiteRunner


def test_gram_matrices_alone_are_the_same(small_file, pictures):
    """They come from another run, by XNNPACK."""
    arguments = (small_file.content, small_file.file, small_file.layers.values(), pictures)
    found = collect_statistics(*arguments, with_values=False)
    assert found.values == {}
    assert found.gram_matrices.keys() == small_file.statistics.gram_matrices.keys()
    for name, expected in small_file.statistics.gram_matrices.items():
        np.testing.assert_allclose(found.gram_matrices[name], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_some_positions_stand_for_all(small_file, pictures, monkeypatch):
    layers = [small_file.layers["stage1/embedding"]]  # 7x7 windows
    arguments = (small_file.content, small_file.file, layers, pictures)
    monkeypatch.setattr(statistics, "_POSITIONS_PER_IMAGE", 128)  # of 256
    found = collect_statistics(*arguments, with_values=False).gram_matrices["stage1/embedding"]
    everything = small_file.statistics.gram_matrices["stage1/embedding"]
    difference = np.linalg.norm(2 * found - everything) / np.linalg.norm(everything)
    assert 0 < difference < 0.2


def test_logits_are_those_of_positions(small_file, pictures):
    [name] = small_file.logits
    arguments = (small_file.content, small_file.file, (), pictures)
    found = collect_statistics(*arguments, logits=small_file.logits)
    logits = TFLiteRunner(with_outputs(small_file.content, [name]))(pictures[:1])[0]
    expected = logits.reshape(-1, logits.shape[-1])
    first = found.logits[name][: min(len(expected), statistics._LOGITS_PER_IMAGE)]
    assert len(np.unique(first, axis=0)) == len(first)
    assert np.abs(first[:, None] - expected).max(axis=-1).min(axis=1).max() < 1e-3  # each is a row of the tensor
    assert collect_statistics(*arguments).logits == {}


def test_inputs_of_layers_are_what_they_multiply(small_file, pictures):
    layer = small_file.layers["stage1/block1/query"]
    [node] = layer.nodes
    runner = TFLiteRunner(with_outputs(small_file.content, [node.inputs[0].name, node.outputs[0].name]))
    inputs, outputs = runner(pictures[:1])
    bias = outputs[0, 0, 0] - layer.kernel[:, 0, 0] @ inputs[0, 0, 0]
    np.testing.assert_allclose(outputs, inputs @ layer.kernel[:, 0, 0].T + bias, atol=1e-4)
