"""Reading files, hostile ones too."""

from __future__ import annotations

import sys
import time

import flatbuffers
import pytest

from keras_segformer.conversion.tflite import schema as schema_module
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.conversion.tflite.schema import schema


def vector(builder, start, offsets):
    start(builder, len(offsets))
    for offset in offsets:
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def repeated(graphs, operations):
    """A file whose graphs are all one graph, of which all operations are one operation."""
    builder = flatbuffers.Builder(4096)
    schema.OperatorCodeStart(builder)
    codes = vector(builder, schema.ModelStartOperatorCodesVector, [schema.OperatorCodeEnd(builder)])
    schema.BufferStart(builder)
    buffers = vector(builder, schema.ModelStartBuffersVector, [schema.BufferEnd(builder)])
    schema.OperatorStart(builder)
    operation = schema.OperatorEnd(builder)
    operators = vector(builder, schema.SubGraphStartOperatorsVector, [operation] * operations)
    schema.SubGraphStart(builder)
    schema.SubGraphAddOperators(builder, operators)
    graph = schema.SubGraphEnd(builder)
    subgraphs = vector(builder, schema.ModelStartSubgraphsVector, [graph] * graphs)
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, 3)
    schema.ModelAddOperatorCodes(builder, codes)
    schema.ModelAddSubgraphs(builder, subgraphs)
    schema.ModelAddBuffers(builder, buffers)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def test_few_operations():
    found = read_tflite(repeated(graphs=2, operations=3))
    assert [node.place for node in found.nodes] == ["0:0", "0:1", "0:2", "1:0", "1:1", "1:2"]
    assert found.tensor_counts == (0, 0)


def test_small_file_that_describes_many_operations():
    content = repeated(graphs=300, operations=300)
    assert len(content) < 2700
    start = time.process_time()
    with pytest.raises(ValueError, match=r"describes more operations and tensors than its 2,[0-9]+ bytes can hold"):
        read_tflite(content)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("file", ["keras_hub_float32_random_weights", "litert_torch_float32", "onnx2tf_float32"])
def test_files_of_other_tools_are_within_the_budget(shared, file):
    assert len(read_tflite((shared / "peers" / f"{file}.tflite").read_bytes()).nodes) > 100


def test_schema_of_tensorflow(monkeypatch):
    """Without LiteRT."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    found = schema_module._load()
    assert found is not schema
    assert found.BuiltinOperator.CONV_2D == schema.BuiltinOperator.CONV_2D
