"""The precision int8_mcu."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from comparison import randomize
from keras_segformer import SegFormer
from keras_segformer.conversion import audit, convert, verify
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.mcu.network import border_of, for_microcontroller, tiling_for
from keras_segformer.conversion.mcu.vela import compile_for_ethos_u
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.evaluation.tflite import TFLiteModel, border_of_facts, facts_beside
from keras_segformer.models import MixTransformerConfig, SegFormerConfig
from keras_segformer.runtime.micro_runner import MicroRunner, micro_arena
from tiny import tiny_config

SIZE = (32, 64)
ENCODER = MixTransformerConfig(
    embed_dims=(8, 8, 8, 8),
    depths=(1, 1, 1, 1),
    num_heads=(1, 1, 1, 1),
    mlp_ratios=(2, 2, 2, 2),
    activation="hard_swish",
)


@pytest.fixture(scope="module")
def model():
    model = SegFormer(SegFormerConfig(encoder=ENCODER, num_classes=3, decoder_width=8, input_size=SIZE))
    randomize(model)
    return model


@pytest.fixture(scope="module")
def pictures(photograph):
    return [photograph(32 + number, 64)[0] for number in range(8)]


@pytest.fixture(scope="module")
def file(model, pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("mcu") / "m.tflite"
    convert(model, path, "int8_mcu", SIZE, output="logits", calibration=pictures, report=False)
    return path


@pytest.mark.parametrize("runtime", ["litert", "ethos-u"])
def test_computes_the_same_function(model, pictures, runtime):
    network = read_network(model)
    border = border_of(network, SIZE)
    rewritten = for_microcontroller(fold_all(network), runtime)
    size = border.padded_size(SIZE)
    traced = trace_network(rewritten, size, output="logits", tiling=tiling_for(network, SIZE, runtime))
    found = traced.function(tf.constant(border.around(pictures[0])[None], tf.float32))["logits"]
    expected = np.asarray(model.quarter(pictures[0][None].astype("float32")))
    # The border has the mean colour in whole numbers, the network's padding has it exactly.
    np.testing.assert_allclose(found, expected, atol=0.02 * np.std(expected))


def test_is_of_integers_throughout(file, model):
    content, facts = read_tflite(file.read_bytes()), json.loads(file.with_suffix(".json").read_text())
    assert {tensor.type for tensor in content.tensors} == {"INT8", "INT32"}
    first = content.nodes[0]
    assert first.name == "CONV_2D"  # no copy of the picture for padding
    assert (first.inputs[0].scales.tolist(), first.inputs[0].zero_points.tolist()) == ([1.0], [-128])
    assert facts["input"]["shape"] == [1, 35, 67, 3]
    assert facts["input"]["border"] == {"top": 3, "left": 3, "bottom": 0, "right": 0, "color": [124, 116, 104]}
    assert (facts["input"]["dtype"], facts["output"]["dtype"]) == ("int8", "int8")
    assert facts["output"]["shape"] == [1, 8, 16, 3]
    assert facts["fidelity"]["agreement"] > 0.8


def test_the_audit_knows_where_it_runs(file):
    micro, ethos_u = audit(file, ["tflite-micro", "ethos-u"]).verdicts
    assert micro.passes
    assert {finding.operator for finding in ethos_u.findings} == {"L2_NORMALIZATION", "RESIZE_BILINEAR"}


def test_segments_pictures_of_any_size(file, model, photograph):
    picture = photograph(64, 128)[0]
    found = TFLiteModel(file, isolated=False)
    assert found.input_size == SIZE
    assert np.mean(found.segment(picture) == model.segment(picture, size=SIZE)) > 0.8
    assert found.segment(picture, antialias=True).shape == (64, 128)


def test_without_its_json_file_it_is_refused(file, model, pictures, tmp_path):
    alone = tmp_path / "m.tflite"
    alone.write_bytes(file.read_bytes())
    with pytest.raises(ValueError, match=r"takes 35x67 int8 pixels.*; put the JSON file that convert wrote beside it"):
        TFLiteModel(alone, isolated=False)
    for unknown in (alone, file.read_bytes()):
        with pytest.raises(ValueError, match="nothing states their border; put the JSON file"):
            verify(unknown, model, pictures)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"batch_size": 2}, "take one image at a time, not 2"), ({"resizable": True}, "choose float32 or float16")],
)
def test_takes_one_picture_of_one_size(model, pictures, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        convert(model, tmp_path / "m.tflite", "int8_mcu", SIZE, calibration=pictures, **options)


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
def test_is_exactly_what_tflite_micro_computes(file, pictures):
    pytest.importorskip("tflite_micro", reason="tflite-micro is not installed")
    content = file.read_bytes()
    border = border_of_facts(facts_beside(file, content), file)
    values = (border.around(pictures[0])[None].astype(np.int16) - 128).astype(np.int8)
    np.testing.assert_array_equal(MicroRunner(content).run_integers(values), _by_reference_kernels(content, values))
    labels = TFLiteModel(file, microcontroller=True).segment(pictures[0])
    assert np.mean(labels == TFLiteModel(file, isolated=False).segment(pictures[0])) > 0.95
    assert 10_000 < micro_arena(content).total < 100_000


def test_vela_compiles_it_for_ethos_u(model, pictures, tmp_path):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed")
    options = {"runtime": "ethos-u", "output": "logits", "calibration": pictures, "report": False}
    convert(model, tmp_path / "m.tflite", "int8_mcu", SIZE, **options)
    content = (tmp_path / "m.tflite").read_bytes()
    report = compile_for_ethos_u(content)
    [verdict] = audit(content, ["ethos-u"]).verdicts
    assert set(report.refused) == {finding.operator for finding in verdict.findings} == {"RESIZE_BILINEAR"}
    assert report.cpu_operations == len(report.refused)
    assert report.sram_bytes < 100_000


def _by_reference_kernels(content: bytes, values: np.ndarray) -> np.ndarray:
    kernels = tf.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input": "float32"}, "takes bytes, not float32"),
        ({"output": "labels_full"}, "not labels_full; choose"),
        ({"calibration": None}, "int8_mcu needs calibration images"),
        ({"input_size": (40, 64)}, "multiples of 32 pixels, not 40x64"),
        ({"fine_tune_steps": 3}, "int8_mcu is quantised as a whole, so 'fine_tune_steps' has no effect"),
        ({"precision": "int8", "runtime": "ethos-u"}, "takes files of the precision int8_mcu, not of int8"),
    ],
)
def test_what_cannot_be_done_is_refused(model, pictures, tmp_path, arguments, message):
    options = {"precision": "int8_mcu", "input_size": SIZE, "calibration": pictures} | arguments
    with pytest.raises(ValueError, match=message):
        convert(model, tmp_path / "m.tflite", **options)


def test_gelu_is_refused(pictures, tmp_path):
    with pytest.raises(ValueError, match=r'GELU, .* train it with activation="hard_swish"'):
        convert(SegFormer(tiny_config()), tmp_path / "m.tflite", "int8_mcu", SIZE, calibration=pictures)


@pytest.mark.parametrize(
    "border", [3, {"top": 3}, {"top": 1, "left": 1, "bottom": 1, "right": 1, "color": [1, 2, 300]}]
)
def test_a_broken_border_is_named(tmp_path, border):
    with pytest.raises(ValueError, match=r"m.json' is broken \(.*\); convert the model again"):
        border_of_facts({"input": {"border": border}}, tmp_path / "m.tflite")
