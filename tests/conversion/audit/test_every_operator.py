"""Every operator of the schema, in files that are written by hand, against TensorFlow's and LiteRT's own tables."""

from __future__ import annotations

import importlib.metadata
import json
from importlib import resources

import pytest
from packaging.version import Version

from keras_segformer.conversion.audit import TARGETS, audit
from keras_segformer.conversion.audit.versions import requirement, runtime_with, version_in_litert
from keras_segformer.conversion.tflite.reader import read_tflite
from operator_files import LIBRARY, OPERATORS, TYPES, Operation, make_file, versions_by_tensorflow

TABLES = json.loads((resources.files("keras_segformer.conversion.audit") / "runtimes.json").read_text())
BUILTIN = [name for name in OPERATORS if name != "CUSTOM"]
ANSWERS = {"takes", "does not take", "not known"}
# Where no runtime has a kernel: only compilers of StableHLO know most of these.
WITHOUT_KERNEL = {name for name in BUILTIN if name.startswith("STABLEHLO_") and not version_in_litert(name)} | {
    *("CALL", "CONCAT_EMBEDDINGS", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"),
}

needs_tables = pytest.mark.skipif(
    not LIBRARY.is_file() or Version(importlib.metadata.version("tensorflow")) < Version("2.21"),
    reason="TensorFlow's tables are those of 2.21 in its library for Linux",
)


def test_every_operator_is_answered_by_every_target():
    for operator in BUILTIN:
        version = 2 if operator == "BROADCAST_TO" else 1  # version 1 was withdrawn
        found = audit(make_file([Operation(operator)], ["INT64"], version=version), [*TARGETS, "runtime:2.99"])
        answers = {verdict.target: verdict.answer for verdict in found.verdicts}
        assert set(answers.values()) <= ANSWERS
        assert found.unknown == ()
        if operator in WITHOUT_KERNEL:
            assert found.minimum_runtime is None
            assert found.missing == (f"{operator} version 1",)
            assert answers["litert"] == answers["runtime:2.14"] == "does not take"
            assert answers["runtime:2.99"] == "not known"  # newer than the tables
        else:
            assert answers["litert"] == answers["runtime:2.99"] == "takes"
            is_old = Version(found.minimum_runtime) <= Version("2.14")
            assert answers["runtime:2.14"] == ("takes" if is_old else "does not take")


def test_tables_have_the_whole_schema():
    assert set(BUILTIN) <= TABLES["operators"].keys()
    assert sum(1 for each in TABLES["operators"].values() if each["litert"]) == 172


@pytest.mark.parametrize(
    ("name", "litert", "old"),
    [("TFLite_Detection_PostProcess", "takes", "not known"), ("Mine", "does not take", "does not take")],
)
def test_custom_operation(name, litert, old):
    found = audit(make_file([Operation(name)]), ["litert", "runtime:2.14", "gpu"])
    assert [verdict.answer for verdict in found.verdicts] == [litert, old, "does not take"]
    assert found.minimum_runtime is None
    assert len(found.faults) == (name == "Mine")


# The types of the first inputs, as converters combine them.
COMBINATIONS = [
    *([name] for name in TYPES),
    *(["FLOAT32", "INT8"], ["FLOAT32", "INT16"], ["FLOAT32", "INT2"], ["FLOAT32", "INT4"]),
    *(["FLOAT32", "FLOAT32", "INT8"], ["FLOAT32", "FLOAT32", "INT64"], ["FLOAT32", "INT32", "UINT8"]),
    *(["INT16", "INT8"], ["INT16", "INT4"], ["INT16", "FLOAT32", "INT8"], ["INT8", "INT4"]),
]


@pytest.mark.slow
@needs_tables
@pytest.mark.parametrize("types", COMBINATIONS, ids=" ".join)
def test_versions_are_those_of_tensorflow(types):
    for rank, num_scales in ((3, 0), (4, 0), (4, 1), (4, 4), (5, 4), (7, 0)):
        # A convolution of fewer axes makes TensorFlow read beyond the shape.
        operations = [
            Operation(name, inputs=1 if name in ("DEQUANTIZE", "QUANTIZE") else 3)
            for name in BUILTIN
            if rank > 3 or not name.endswith("CONV_2D")
        ]
        check_versions(operations, types, (4,) * rank, num_scales)


OPTIONS = [
    *(
        Operation(name, 3, kind, {"potScaleInt16": True})
        for name, kind in (("ADD", "AddOptions"), ("SUB", "SubOptions"))
    ),
    Operation("DEPTHWISE_CONV_2D", 3, "DepthwiseConv2DOptions", {"dilationHFactor": 2}),
    Operation("FAKE_QUANT", 1, "FakeQuantOptions", {"narrowRange": True}),
    Operation("FULLY_CONNECTED", 2),
    Operation("FULLY_CONNECTED", 3, "FullyConnectedOptions", {"keepNumDims": True}),
    Operation("FULLY_CONNECTED", 3, "FullyConnectedOptions", {"weightsFormat": 1}),
    Operation("GATHER", 2, "GatherOptions", {"batchDims": 1}),
    Operation("GATHER", 2, "GatherOptions", {"batchDims": -1}),
    Operation("LSTM", 5, "LSTMOptions", {"kernelType": 1}),
    Operation("RESIZE_BILINEAR", 2, "ResizeBilinearOptions", {"halfPixelCenters": True}),
    Operation("RESIZE_NEAREST_NEIGHBOR", 2, "ResizeNearestNeighborOptions", {"halfPixelCenters": True}),
    Operation("RESIZE_NEAREST_NEIGHBOR", 2, "ResizeNearestNeighborOptions", {"alignCorners": True}),
    Operation("STRIDED_SLICE", 4, "StridedSliceOptions", {"offset": True}),
    Operation("STRIDED_SLICE", 4, "StridedSliceOptions", {"ellipsisMask": 1}),
    Operation("STRIDED_SLICE", 4, "StridedSliceOptions", {"newAxisMask": 1}),
    Operation("TRANSPOSE_CONV", 4),
    Operation("TRANSPOSE_CONV", 3, "TransposeConvOptions", {"fusedActivationFunction": 1}),
    Operation(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", 5, "UnidirectionalSequenceLSTMOptions", {"diagonalRecurrentTensors": True}
    ),
    *(
        Operation(name, 3, kind, {"asymmetricQuantizeInputs": True})
        for name, kind in {
            "BATCH_MATMUL": "BatchMatMulOptions",
            "BIDIRECTIONAL_SEQUENCE_LSTM": "BidirectionalSequenceLSTMOptions",
            "BIDIRECTIONAL_SEQUENCE_RNN": "BidirectionalSequenceRNNOptions",
            "FULLY_CONNECTED": "FullyConnectedOptions",
            "LSTM": "LSTMOptions",
            "RNN": "RNNOptions",
            "SVDF": "SVDFOptions",
            "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTMOptions",
            "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
        }.items()
    ),
]


@needs_tables
@pytest.mark.parametrize(
    "types", [["FLOAT32"], ["INT8"], ["INT16"], ["FLOAT32", "INT8"], ["INT16", "FLOAT32", "INT8"]], ids=" ".join
)
@pytest.mark.parametrize("num_scales", [0, 1])
def test_versions_of_options_are_those_of_tensorflow(types, num_scales):
    check_versions(OPTIONS, types, (4, 4, 4, 4), num_scales)


@needs_tables
def test_bias_types_of_16x8_bits():
    # TensorFlow takes the default of this option, FLOAT32, for a choice, so that only other values show what it means.
    operations = [
        Operation("CONV_2D", 3, "Conv2DOptions", {"quantizedBiasType": 4}),
        Operation("FULLY_CONNECTED", 3, "FullyConnectedOptions", {"quantizedBiasType": 4}),
        Operation("TRANSPOSE_CONV", 3, "TransposeConvOptions", {"quantizedBiasType": 4}),
    ]
    check_versions(operations, ["INT16", "INT8"], (4, 4, 4, 4), 1)


def check_versions(operations, types, shape, num_scales):
    content = make_file(operations, types, shape, num_scales, version=0)
    found = [requirement(node) for node in read_tflite(content).nodes]
    expected = versions_by_tensorflow(content)
    differing = [
        (operation, need.needed, version)
        for operation, need, version in zip(operations, found, expected, strict=True)
        if need.needed != version and not is_newer_than_tensorflow(operation.operator, need.needed)
    ]
    assert differing == []


def is_newer_than_tensorflow(operator, version):
    runtime = runtime_with(operator, version)
    # QUANTIZE of UINT4 came with LiteRT before TensorFlow had it.
    return (operator, version) == ("QUANTIZE", 5) or (runtime and Version(runtime) > Version("2.21"))


@needs_tables
def test_runtimes_are_those_of_tensorflow():
    collect = pytest.importorskip("keras_segformer.conversion.audit.collect_runtimes")
    ask = collect.tensorflow_table()
    for name in BUILTIN:
        since = TABLES["operators"][name]["since"]
        known = {version: ask(OPERATORS[name], version) for version in range(1, 21)}
        old = {version: runtime for version, runtime in known.items() if runtime}
        if name not in WITHOUT_KERNEL:
            assert old.items() <= dict(enumerate(since, start=1)).items()


def test_kernels_are_those_of_litert():
    collect = pytest.importorskip("keras_segformer.conversion.audit.collect_runtimes")
    if importlib.metadata.version("ai-edge-litert") != TABLES["litert"]:
        pytest.skip(f"the table is of LiteRT {TABLES['litert']}")
    for name in BUILTIN:
        newest = TABLES["operators"][name]["litert"]
        assert not collect.is_registered(OPERATORS[name], newest + 1), name
        assert not newest or collect.is_registered(OPERATORS[name], newest), name
