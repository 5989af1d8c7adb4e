"""The audit: files of ours, of other tools, and with something wrong."""

from __future__ import annotations

import functools
import sys
import warnings

import flatbuffers
import keras
import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

import tflite_files
from keras_segformer.conversion import convert
from keras_segformer.conversion.audit import TARGETS, audit, check_target
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.conversion.tflite.schema import schema

RUNTIMES = ("runtime:2.14", "runtime:2.16", "litert")


def edited(content, edit):
    """A file after `edit` has changed its unpacked form."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    edit(model)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def code_of(model, name):
    """The entry of a kind of operation, and the operations of that kind."""
    wanted = getattr(schema.BuiltinOperator, name)
    [index] = [
        index
        for index, code in enumerate(model.operatorCodes)
        if max(code.builtinCode, code.deprecatedBuiltinCode) == wanted
    ]
    return model.operatorCodes[index], [each for each in model.subgraphs[0].operators if each.opcodeIndex == index]


def output_of(model, name):
    return model.subgraphs[0].tensors[code_of(model, name)[1][0].outputs[0]]


def findings(found, target):
    """`{operation: reason}` of a target."""
    [verdict] = [each for each in found.verdicts if each.target == target]
    return {finding.operator: finding.reason for finding in verdict.findings}


@pytest.fixture(scope="module")
def content(converted):
    """A converted file of floats except for the labels."""
    file, _ = converted("tiny", input_size=(64, 64), input="float32", report=False)
    return file.read_bytes()


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """A file with a fully connected layer."""
    model = keras.Sequential([keras.Input((8,), batch_size=1), keras.layers.Dense(4)])
    return tflite_files.convert(model, tmp_path_factory.mktemp("audit") / "linear.tflite").read_bytes()


def test_our_files_run_where_they_should(content):
    found = audit(content)
    assert found.faults == found.dynamic == ()
    assert found.claimed_runtime == found.minimum_runtime == "2.9.0"
    assert max(found.ranks) == 4
    for target in (*RUNTIMES, "gpu", "qualcomm-htp"):
        assert findings(found, target) == {}
    assert findings(found, "xnnpack") == {"ARG_MAX": "not among its operations"}
    assert findings(found, "nnapi:6") == {"GELU": "not among its operations"}
    assert findings(found, "nnapi:5")["BATCH_MATMUL"] == "needs level 6"
    assert [verdict.target for verdict in found.verdicts] == list(TARGETS)


@pytest.mark.parametrize(("precision", "num_classes"), [("float16", 5), ("float32", 1)])
def test_other_files_of_ours(precision, num_classes, converted):
    name = "binary" if num_classes == 1 else "tiny"
    file, facts = converted(name, precision=precision, input_size=(64, 64), report=False)
    found = audit(file.read_bytes())
    assert found.minimum_runtime == facts["minimum_runtime"] == "2.9.0"
    assert all(findings(found, target) == {} for target in RUNTIMES)
    # The labels of a binary model come from a comparison of a channel that is cut out.
    binary = {"CAST", "GREATER", "STRIDED_SLICE"} if num_classes == 1 else set()
    assert findings(found, "gpu").keys() <= binary
    assert findings(found, "xnnpack").keys() <= {"ARG_MAX"} | binary


@pytest.mark.parametrize(
    ("file", "lies", "not_taken"),
    [
        ("keras_hub_float32_random_weights", 0, {"xnnpack": {}, "gpu": {}, "qualcomm-htp": {}, "nnapi:8": {"GELU"}}),
        ("litert_torch_float32", 0, {"xnnpack": {"FULLY_CONNECTED"}, "gpu": {}, "nnapi:5": {"BATCH_MATMUL", "GELU"}}),
        ("onnx2tf_float32", 1, {"xnnpack": {"SLICE"}, "gpu": {"ADD", "RESHAPE", "SLICE"}, "nnapi:8": {"GELU"}}),
        (
            "stock_converter_full_int8",
            0,
            {
                "xnnpack": {"ADD", "BATCH_MATMUL", "GELU", "RSQRT", "SOFTMAX", "SQUARED_DIFFERENCE"},
                "qualcomm-htp": {},
                "nnapi:6": {"GELU", "RSQRT"},
                "nnapi:7": {"GELU"},
            },
        ),
    ],
)
def test_files_of_other_tools(shared, file, lies, not_taken):
    found = audit((shared / "peers" / f"{file}.tflite").read_bytes(), [*RUNTIMES, *not_taken])
    assert len(found.lies) == lies
    assert found.minimum_runtime == "2.9.0"
    assert {target: findings(found, target).keys() for target in not_taken} == {
        target: set(names) for target, names in not_taken.items()
    }
    if lies:
        assert "RESIZE_BILINEAR says version 1, but 3 is the first that knows half-pixel centres" in found.lies[0]
        assert found.claimed_runtime is None
        assert len(found.dynamic) == 12


@pytest.mark.skipif(Version(tf.__version__) < Version("2.21"), reason="older versions of XNNPACK take less")
@pytest.mark.parametrize("file", ["ours", "onnx2tf_float32", "litert_torch_float32", "stock_converter_full_int8"])
def test_xnnpack_takes_what_the_audit_says(file, content, request):
    if file != "ours":
        content = (request.getfixturevalue("shared") / "peers" / f"{file}.tflite").read_bytes()
    [verdict] = audit(content, ["xnnpack"]).verdicts
    refused = {int(place) for each in verdict.findings for place in each.places if not each.unknown}
    doubtful = {int(place) for each in verdict.findings for place in each.places if each.unknown}
    assert taken_by_xnnpack(content) - doubtful == set(range(len(read_tflite(content).nodes))) - refused - doubtful


def taken_by_xnnpack(content):
    """Indices of the operations between the inputs and outputs of the delegate's parts, in a real interpreter."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    operations = interpreter._get_ops_details()
    maker = {
        tensor: each for each in operations if each["op_name"] != "DELEGATE" for tensor in each["outputs"].tolist()
    }
    taken = set()
    for part in (each for each in operations if each["op_name"] == "DELEGATE"):
        inputs, waiting = set(part["inputs"].tolist()), part["outputs"].tolist()
        while waiting:
            tensor = waiting.pop()
            if tensor not in inputs and tensor in maker and maker[tensor]["index"] not in taken:
                taken.add(maker[tensor]["index"])
                waiting.extend(maker[tensor]["inputs"].tolist())
    return taken


def test_hybrid_weights_of_one_scale_per_channel(linear):
    """What `litert-quantizer` 0.11 writes: it runs on TF Lite 2.14 and computes garbage there."""

    def quantize(model):
        code, [node] = code_of(model, "FULLY_CONNECTED")
        code.version = 5
        weights = model.subgraphs[0].tensors[node.inputs[1]]
        weights.type = schema.TensorType.INT8
        weights.quantization = schema.QuantizationParametersT()
        weights.quantization.scale = np.full(4, 0.01, np.float32)
        weights.quantization.zeroPoint = np.zeros(4, np.int64)
        model.buffers[weights.buffer].data = np.ones(32, np.uint8)

    assert audit(linear).lies == ()
    found = audit(edited(linear, quantize))
    assert found.minimum_runtime == "2.17.0"
    version, runtime = found.lies
    because = "a float input with INT8 weights of one scale per channel"
    assert f"FULLY_CONNECTED says version 5, but 12 is the first that knows {because} (TF Lite 2.17.0" in version
    assert runtime == f"the file says that TF Lite {found.claimed_runtime} runs it, but it needs 2.17.0"
    assert findings(found, "runtime:2.14") == {"FULLY_CONNECTED": f"version 12 for {because} needs 2.17.0"}
    assert findings(found, "litert") == {}


def test_one_target_may_stand_alone(content):
    assert audit(content, "litert").verdicts == audit(content, ["litert"]).verdicts


def test_version_too_low(content):
    def lower(model):
        code_of(model, "RESIZE_BILINEAR")[0].version = 1

    [lie] = audit(edited(content, lower)).lies
    assert "RESIZE_BILINEAR says version 1, but 3 is the first that knows half-pixel centres (TF Lite 2.2.0" in lie


def test_version_higher_than_needed(content):
    def raise_version(model):
        code_of(model, "RESIZE_BILINEAR")[0].version = 4

    assert audit(edited(content, raise_version)).lies == ()


@pytest.mark.parametrize(
    ("claim", "lies"),
    [
        (b"2.8.0", ("the file says that TF Lite 2.8.0 runs it, but it needs 2.9.0",)),
        (b"2.17", ()),
        (b"", ()),
        (b"new", ("the file names the runtime 'new', which is not a version",)),
    ],
)
def test_claimed_runtime(content, claim, lies):
    def replace(model):
        [entry] = [each for each in model.metadata if each.name == b"min_runtime_version"]
        model.buffers[entry.buffer].data = np.frombuffer(claim.ljust(16, b"\0"), np.uint8)

    found = audit(edited(content, replace))
    assert (found.lies, found.minimum_runtime) == (lies, "2.9.0")


def test_five_axes(content):
    def add_axis(model):
        output_of(model, "GELU").shape = [1, 1, 2, 2, 8]

    found = audit(edited(content, add_axis))
    assert found.ranks[5] == 1
    assert set(findings(found, "gpu").values()) == {"more than 4 axes"}
    assert "GELU" in findings(found, "gpu")


def test_dynamic_axis(content):
    def open_axis(model):
        output_of(model, "GELU").shapeSignature = [1, -1, 16, 16]

    found = audit(edited(content, open_axis))
    assert len(found.dynamic) == 1
    assert set(findings(found, "gpu").values()) == {"a dynamic shape"}


def test_one_tensor_as_both_inputs(content):
    def repeat(model):
        node = code_of(model, "BATCH_MATMUL")[1][0]
        node.inputs = [node.inputs[0]] * 2

    assert "aborts the delegate" in findings(audit(edited(content, repeat)), "gpu")["BATCH_MATMUL"]


def test_labels_of_64_bits(content):
    def widen(model):
        output_of(model, "ARG_MAX").type = schema.TensorType.INT64

    found = audit(edited(content, widen))
    assert findings(found, "gpu")["ARG_MAX"] == findings(found, "nnapi:8")["ARG_MAX"] == "an output other than INT32"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("FlexErf", "an operation of TensorFlow, which needs the library Select TF Ops"),
        ("Mine", "a custom operation, which the app has to bring"),
    ],
)
def test_custom_operation(content, name, reason):
    found = audit(edited(content, functools.partial(make_custom, name=name)))
    assert found.custom == (name,)
    assert found.minimum_runtime is None
    assert found.faults == (f"{name} is {reason}",)
    assert findings(found, "litert") == findings(found, "runtime:2.14") == {name: reason}
    assert findings(found, "gpu") == {name: "a custom operation"}


def make_custom(model, name):
    code, nodes = code_of(model, "GELU")
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = name.encode()
    for node in nodes:
        node.builtinOptions, node.builtinOptionsType = None, 0


@pytest.mark.parametrize(
    ("number", "version", "answer", "fault"),
    [
        (schema.BuiltinOperator.ATAN2, 1, "takes", None),
        (schema.BuiltinOperator.GELU, 99, "does not take", "no runtime has GELU version 99"),
        (schema.BuiltinOperator.STABLEHLO_SORT, 1, "does not take", "no runtime has STABLEHLO_SORT version 1"),
        (9999, 1, "not known", "it is not known which runtime has BUILTIN_9999 version 1"),  # of a schema to come
    ],
)
def test_what_is_not_known_is_told_from_what_there_is_not(content, number, version, answer, fault):
    def exchange(model):
        code = code_of(model, "GELU")[0]
        code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), version

    found = audit(edited(content, exchange))
    assert found.minimum_runtime == (None if fault else "2.10.0")
    assert [each for each in found.faults if "runtime has" in each] == ([fault] if fault else [])
    [verdict] = [each for each in found.verdicts if each.target == "litert"]
    assert (verdict.answer, verdict.passes) == (answer, answer == "takes")


def test_variables(content):
    def keep(model):
        output_of(model, "GELU").isVariable = True

    found = audit(edited(content, keep))
    assert len(found.variables) == 1
    assert "left over from a variable" in found.faults[0]


@pytest.mark.parametrize("foreign", [b"", b"TFL3", b"PK\3\4" + bytes(60), b"<html>no TF Lite file here</html>"])
def test_foreign_file(foreign):
    with pytest.raises(ValueError, match="not a TF Lite file"):
        audit(foreign)


@pytest.mark.parametrize(
    ("content", "remedy"), [(b"PK\3\4" + bytes(60), "a .task bundle .*: unzip it"), (b"LITERTLM", "of LiteRT-LM")]
)
def test_bundle(content, remedy):
    with pytest.raises(ValueError, match=rf"{remedy}.*; name one whose name ends in .tflite"):
        audit(content)


def _of_older_schema(model):
    model.version = 2


def _without_graph(model):
    model.subgraphs = []


def _with_negative_output(model):
    model.subgraphs[0].operators[0].outputs = [-1]


def _with_negative_input(model):
    model.subgraphs[0].operators[0].inputs = [-7]


@pytest.mark.parametrize(
    ("change", "damage"),
    [
        (_of_older_schema, "version 2 of the schema, and runtimes take 3"),
        (_without_graph, "has no graph"),
        (_with_negative_output, "no tensor -1"),
        (_with_negative_input, "no tensor -7"),
    ],
)
def test_files_that_no_runtime_loads(content, change, damage):
    with pytest.raises(ValueError, match=rf"cut short or damaged \(it (has|describes) .*{damage.removeprefix('has ')}"):
        audit(edited(content, change))


def test_names_of_operators_that_are_not_custom(content):
    def name(model):
        code_of(model, "GELU")[0].customCode = b"Mine"

    found = audit(edited(content, name))
    assert found.custom == ()
    assert found.minimum_runtime == "2.9.0"


def test_custom_operation_without_a_name(content):
    def strip(model):
        code, _ = code_of(model, "GELU")
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM

    found = audit(edited(content, strip), ["litert", "runtime:2.14"])
    assert [verdict.answer for verdict in found.verdicts] == ["does not take"] * 2
    assert "CUSTOM is a custom operation" in found.faults[0]


def test_version_below_the_first(content):
    def lower(model):
        code_of(model, "GELU")[0].version = 0

    found = audit(edited(content, lower), ["litert", "runtime:2.14"])
    assert [verdict.answer for verdict in found.verdicts] == ["does not take"] * 2
    assert found.lies[0].startswith("GELU says version 0, but 1 is the first that there is (TF Lite 2.9.0")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9])
def test_truncated_file(content, share):
    with pytest.raises(ValueError, match="cut short or damaged"):
        audit(content[: int(len(content) * share)])


@pytest.mark.parametrize("target", ["tpu", "nnapi", "nnapi:2", "nnapi:9", "runtime:", "runtime:new", "gpu:1", ""])
def test_no_target(target):
    with pytest.raises(ValueError, match=r"no target .*; choose litert, xnnpack"):
        check_target(target)


def test_conversion_refuses_what_the_audit_faults(tiny, content, tmp_path, monkeypatch):
    flex = edited(content, functools.partial(make_custom, name="FlexErf"))
    module = sys.modules["keras_segformer.conversion.convert"]
    monkeypatch.setattr(module, "export", lambda function, precision: flex)
    with pytest.raises(ValueError, match=r"FlexErf is an operation of TensorFlow.*; convert with another version"):
        convert(tiny, tmp_path / "m.tflite", input_size=(64, 64))
    assert not list(tmp_path.iterdir())
