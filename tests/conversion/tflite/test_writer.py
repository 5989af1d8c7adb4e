"""Files taken apart and put together."""

from __future__ import annotations

import numpy as np
import pytest

from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.conversion.tflite.schema import schema
from keras_segformer.conversion.tflite.writer import fix_op_versions, pack, replace_weights, unpack


@pytest.fixture(scope="module")
def content(converted):
    return converted("tiny", input_size=(64, 96), output="logits", report=False)[0].read_bytes()


def test_file_survives(content, photograph, run_file):
    again = pack(unpack(content))
    assert read_tflite(again).operators() == read_tflite(content).operators()
    assert [tensor.shape for tensor in read_tflite(again).tensors] == [t.shape for t in read_tflite(content).tensors]
    images = photograph(64, 96)
    np.testing.assert_array_equal(run_file(again, images), run_file(content, images))


def test_weights_are_replaced_in_place(content):
    tensor = next(each for each in read_tflite(content).tensors if each.constant and each.data.size > 1000)
    values = np.arange(tensor.data.size, dtype=np.uint8)
    changed = replace_weights(content, {tensor.name: values})
    assert len(changed) == len(content)
    found = {each.name: each.data for each in read_tflite(changed).tensors if each.constant}
    for each in read_tflite(content).tensors:
        if each.constant:
            np.testing.assert_array_equal(found[each.name], values if each.name == tensor.name else each.data)
    with pytest.raises(ValueError, match="another size"):
        replace_weights(content, {tensor.name: values[1:]})


def test_weights_are_aligned(content):
    again = pack(unpack(content))
    model = schema.Model.GetRootAs(again, 0)
    first = np.frombuffer(again, np.uint8).ctypes.data
    buffers = [model.Buffers(index) for index in range(model.BuffersLength())]
    starts = [each.DataAsNumpy().ctypes.data - first for each in buffers if each.DataLength()]
    assert len(starts) > 20
    assert not any(start % 16 for start in starts)


def test_right_versions_stay(content):
    assert read_tflite(fix_op_versions(content)).operators() == read_tflite(content).operators()


def test_wrong_versions_are_fixed(content):
    model = unpack(content)
    for code in model.operatorCodes:
        code.version = 1
    model.metadata = []
    wrong = pack(model)
    assert read_tflite(wrong).claimed_runtime is None
    fixed = read_tflite(fix_op_versions(wrong))
    assert fixed.operators() == read_tflite(content).operators()
    assert fixed.claimed_runtime == read_tflite(content).claimed_runtime
