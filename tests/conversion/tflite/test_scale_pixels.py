"""Bytes at the input are numbers with a scale."""

from __future__ import annotations

import numpy as np
import pytest

from comparison import assert_close
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.conversion.tflite.scale_pixels import scale_pixels


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_same_function_without_a_cast(tiny, photograph, run_file, precision):
    function = trace_network(fold_all(read_network(tiny)), (64, 64), input="uint8").function
    before = export(function, precision)
    after = scale_pixels(before)
    np.testing.assert_array_equal(run_file(after, photograph(64, 64)), run_file(before, photograph(64, 64)))
    first, *others = read_tflite(after).nodes
    assert (first.name, first.inputs[0].type, first.version) == ("DEQUANTIZE", "UINT8", 1)
    assert (first.inputs[0].scales.tolist(), first.inputs[0].zero_points.tolist()) == ([1], [0])
    assert "CAST" not in {node.name for node in others}
    assert scale_pixels(after) == after


def test_floats_are_left_alone(tiny, photograph, run_file):
    content = export(trace_network(fold_all(read_network(tiny)), (64, 64)).function, "float32")
    assert scale_pixels(content) == content
    assert_close(run_file(content, photograph(64, 64)), tiny.predict_on_batch(photograph(64, 64)))
