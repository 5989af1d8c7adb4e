"""Files taken apart and put together."""

from __future__ import annotations

import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from keras_segformer.conversion import convert
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.conversion.tflite.writer import fix_op_versions, pack, unpack


@pytest.fixture(scope="module")
def content(tiny, tmp_path_factory):
    file = tmp_path_factory.mktemp("files") / "m.tflite"
    convert(tiny, file, input_size=(64, 64), input="float32", output="logits", report=False)
    return file.read_bytes()


def test_file_survives(content, photograph, run_file):
    again = pack(unpack(content))
    assert read_tflite(again).operators() == read_tflite(content).operators()
    assert [tensor.shape for tensor in read_tflite(again).tensors] == [t.shape for t in read_tflite(content).tensors]
    images = photograph(64, 64)
    np.testing.assert_array_equal(run_file(again, images), run_file(content, images))


def test_weights_are_aligned(content):
    again = pack(unpack(content))
    model = schema.Model.GetRootAs(again, 0)
    starts = []
    for index in range(model.BuffersLength()):
        buffer = model.Buffers(index)
        if buffer.DataLength():
            starts.append(buffer._tab.Vector(buffer._tab.Offset(4)))
    assert len(starts) > 20
    assert not any(start % 16 for start in starts)


def test_truth_stays(content):
    assert read_tflite(fix_op_versions(content)).operators() == read_tflite(content).operators()


def test_lies_are_corrected(content):
    model = unpack(content)
    for code in model.operatorCodes:
        code.version = 1
    model.metadata = []
    lying = pack(model)
    assert read_tflite(lying).claimed_runtime is None
    honest = read_tflite(fix_op_versions(lying))
    assert honest.operators() == read_tflite(content).operators()
    assert honest.claimed_runtime == read_tflite(content).claimed_runtime
