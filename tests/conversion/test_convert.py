"""Files: what is in them, what they compute, and what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json

import keras
import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from comparison import assert_close, randomize
from keras_segformer.conversion import convert, export_savedmodel, verify
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.tiles import UNTILED, Tiling
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.quantize import QuantizationRecipe
from keras_segformer.conversion.quantize.float_file import FloatFile
from keras_segformer.conversion.quantize.search import SearchResult, default_recipe
from keras_segformer.conversion.quantize.statistics import collect_statistics
from keras_segformer.conversion.tflite.arena import arena_bytes
from keras_segformer.conversion.tflite.export import export
from keras_segformer.conversion.tflite.reader import operators, read_tflite
from keras_segformer.conversion.tflite.reorder import reorder_for_memory
from keras_segformer.evaluation import TFLiteModel
from keras_segformer.licenses import License
from keras_segformer.models import SegFormerNetwork
from random_models import random_model
from tiny import tiny_config

# The package's function of the same name hides the module.
QUANTIZING = importlib.import_module("keras_segformer.conversion.quantize.quantize_network")
ALLOWED = {
    *("ADD", "ARG_MAX", "BATCH_MATMUL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE", "GELU", "MEAN"),
    *("MUL", "PAD", "RESHAPE", "RESIZE_BILINEAR", "RSQRT", "SOFTMAX", "STRIDED_SLICE", "SUB", "TRANSPOSE"),
}


def graph_of(content):
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    assert len(model.subgraphs) == 1
    return model.subgraphs[0]


def test_file_computes_what_the_model_does(model_name, converted, logits_of, photograph, run_file):
    file, facts = converted(model_name, input_size=(64, 96), output="logits", report=False)
    logits = logits_of(model_name, 64, 96)
    assert facts["output"]["shape"] == list(logits.shape)
    actual = run_file(file, photograph(64, 96))
    assert_close(actual, logits)
    np.testing.assert_array_equal(actual.argmax(-1), logits.argmax(-1))


def test_operations_and_ranks(model_name, model, converted):
    file, facts = converted(model_name, input_size=(64, 96), output="labels_full", report=False)
    binary = {"CAST", "GREATER"} if model.config.num_classes == 1 else set()
    activation = model.config.encoder.activation.upper()
    assert {each["name"] for each in facts["operators"]} <= ALLOWED | binary | {activation}
    graph = graph_of(file.read_bytes())
    assert max(len(tensor.shape) for tensor in graph.tensors if tensor.shape is not None) <= 4
    assert not any(tensor.isVariable for tensor in graph.tensors)
    counts = {each["name"]: each["count"] for each in facts["operators"]}
    blocks = max(model.config.decoder_stages)  # one in each stage; stages after the last one used are left out
    assert counts[activation] == counts["SOFTMAX"] == blocks
    assert counts["MUL"] == 2 * counts["RSQRT"]  # those of the norms, none for the scale of the queries


def test_batch(converted, logits_of, photograph, run_file):
    """Every image of a batch has its own logits, also beside others."""
    file, facts = converted("tiny", batch_size=2, input_size=(64, 96), output="logits", report=False)
    assert (facts["input"]["shape"], facts["output"]["shape"]) == ([2, 64, 96, 3], [2, 16, 24, 5])
    image, expected = photograph(64, 96), logits_of("tiny", 64, 96)
    first, second = run_file(file, np.concatenate([image, image[:, ::-1]]))
    assert_close(first[None], expected)
    second, first = run_file(file, np.concatenate([image[:, ::-1], image]))
    assert_close(first[None], expected)
    assert not np.allclose(second, first)


def test_batch_in_integers(converted, tiny, photograph):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    file, _ = converted("tiny", precision="dynamic", batch_size=2, input_size=(64, 96), report=False)
    images = [photograph(64, 96)[0], photograph(64, 96)[0, ::-1], photograph(64, 96)[0, :, ::-1]]
    assert verify(file, tiny, images).worst_agreement > 0.9


@pytest.mark.parametrize("name", ["learned_position", "stages_2_4"])
def test_resizable(name, converted, photograph, logits_of, run_file):
    runtime = pytest.importorskip("ai_edge_litert.interpreter", reason="LiteRT is not installed")
    file, facts = converted(name, resizable=True, input_size=(64, 96), output="logits", report=False)
    assert (facts["input"]["resizable"], facts["tiles"]) == (True, False)
    assert_close(run_file(file, photograph(64, 96)), logits_of(name, 64, 96))
    interpreter = runtime.Interpreter(str(file))
    for size in ((33, 75), (128, 64)):
        [images], [logits] = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.resize_tensor_input(images["index"], (1, *size, 3))
        interpreter.allocate_tensors()
        interpreter.set_tensor(images["index"], photograph(*size))
        interpreter.invoke()
        assert_close(interpreter.get_tensor(logits["index"]), logits_of(name, *size))


def test_resizable_labels_at_full_size(converted, photograph):
    options = {"input_size": (64, 96), "output": "labels_full", "report": False}
    (file, _), (fixed, _) = converted("tiny", resizable=True, **options), converted("tiny", **options)
    image = photograph(64, 96)[0]
    np.testing.assert_array_equal(TFLiteModel(file).segment(image), TFLiteModel(fixed).segment(image))
    assert b"resize this tensor first" in file.read_bytes()
    assert b"The size is fixed" in fixed.read_bytes()


def test_float16_halves_the_weights(converted, logits_of, photograph, run_file):
    _, float32 = converted("tiny", input_size=(64, 96), output="logits", report=False)
    file, float16 = converted("tiny", precision="float16", input_size=(64, 96), output="logits", report=False)
    assert float16["bytes"] < 0.75 * float32["bytes"]  # much of a tiny file is not weights
    assert {each["name"] for each in float16["operators"]} <= ALLOWED
    assert_close(run_file(file, photograph(64, 96)), logits_of("tiny", 64, 96), 2e-2)


def test_json_file(tmp_path):
    license = License("Some-1.0", "https://example.org/licence", non_commercial=True)
    model = SegFormerNetwork(tiny_config(), license=license)
    facts = convert(model, tmp_path / "sub" / "m.tflite", input_size=(64, 96))
    file = tmp_path / "sub" / "m.tflite"
    assert json.loads(file.with_suffix(".json").read_text()) == facts
    assert facts["label_set"] == model.label_set.to_dict()
    expected = {"shape": [1, 64, 96, 3], "dtype": "uint8", "colors": "RGB", "range": [0, 255], "resizable": False}
    assert facts["input"] == expected
    assert facts["output"] == {"kind": "labels", "shape": [1, 16, 24], "dtype": "int32"}
    assert facts["license"] == dataclasses.asdict(license)
    assert facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert facts["bytes"] == file.stat().st_size
    assert facts["operators"] == operators(file.read_bytes())
    assert [int(number) for number in facts["minimum_runtime"].split(".")] >= [2, 9]  # GELU came with it
    assert sorted(each.name for each in file.parent.iterdir()) == ["m.html", "m.json", "m.tflite"]
    assert facts["fidelity"] is facts["quantization"] is None


def test_file_is_read_by_the_evaluation(tiny, converted, photograph):
    file, _ = converted("tiny", input_size=(64, 96), output="labels_full", report=False)
    loaded = TFLiteModel(file)
    assert loaded.label_set == tiny.label_set
    assert loaded.segment(photograph(64, 96)[0]).shape == (64, 96)


def test_signature_names_input_and_output(converted):
    file, _ = converted("tiny", input_size=(64, 96), output="logits", report=False)
    [signature] = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0).signatureDefs
    assert [each.name for each in signature.inputs] == [b"images"]
    assert [each.name for each in signature.outputs] == [b"logits"]


def test_order_and_tiles_save_memory_and_keep_the_numbers(photograph, run_file, monkeypatch):
    model = SegFormerNetwork(tiny_config(decoder_width=256, output_stride=4))
    randomize(model)
    network = fold_all(read_network(model))
    tiled, untiled = (
        trace_network(network, (128, 128), tiling=tiling).function
        for tiling in (Tiling(scores=2**14, fused=2**16), UNTILED)
    )
    best, whole = export(tiled, "float32"), export(untiled, "float32")
    monkeypatch.setattr("keras_segformer.conversion.tflite.export.reorder_for_memory", lambda content: content)
    unordered = export(tiled, "float32")
    assert operators(best) == operators(unordered)
    assert reorder_for_memory(best) == best
    assert arena_bytes(best) < 0.8 * min(arena_bytes(unordered), arena_bytes(whole))
    images = photograph(128, 128)
    expected = model(images, training=False)
    np.testing.assert_array_equal(run_file(best, images), run_file(unordered, images))
    assert_close(run_file(best, images), expected)
    assert_close(run_file(whole, images), expected)


NOISE = list(np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), np.uint8))
STATIC = QuantizationRecipe(layers={"stage1/start": "static"})
UNKNOWN = QuantizationRecipe(layers={"stage9/start": "float"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "m.bin"}, "ends in .tflite"),
        (
            {"precision": "int4"},
            "no precision 'int4'; choose one of float32, float16, dynamic, int8, int8_npu, int8_mcu, int16x8",
        ),
        ({"precision": "int8"}, "The precision int8 needs calibration images"),
        ({"precision": "int16x8"}, "The precision int16x8 needs calibration images"),
        ({"precision": "dynamic", "recipe": STATIC}, "The recipe needs calibration images"),
        ({"precision": "dynamic", "fine_tune_steps": 5}, "Fine-tuning needs calibration images"),
        ({"precision": "dynamic", "fine_tune_steps": -1}, "number of fine-tuning steps is -1"),
        ({"precision": "dynamic", "fine_tune_steps": 2.5}, "number of fine-tuning steps is 2.5"),
        ({"precision": "float16", "recipe": STATIC}, "float16 is not quantised, so 'recipe' has no effect"),
        ({"precision": "float32", "fine_tune_steps": 5}, "'fine_tune_steps' has no effect"),
        ({"precision": "int8", "calibration": NOISE, "target": 2.0}, "target is 2.0; it is an agreement"),
        ({"precision": "int8", "calibration": NOISE, "target": 0}, "target is 0; it is an agreement"),
        ({"precision": "int8", "calibration": NOISE, "target": float("nan")}, "target is nan"),
        ({"precision": "dynamic", "target": 0.9}, "only if a recipe is searched for"),
        ({"precision": "int8", "calibration": NOISE, "target": 0.9, "recipe": STATIC}, "only if a recipe is searched"),
        ({"measure_times": True}, "Times are measured in the search for a recipe"),
        ({"precision": "int16x8", "calibration": NOISE, "measure_times": True}, "for the precision int8"),
        ({"precision": "int8", "calibration": NOISE, "recipe": STATIC, "measure_times": True}, "without a given one"),
        ({"half": True}, "tried on images; pass some dozen as calibration, or leave out `half`"),
        ({"precision": "int8_npu", "calibration": NOISE, "half": True}, "int8_npu is for integers, and `half`"),
        ({"bit_depth": 12}, "The bit depth is that of calibration images, and there are none"),
        ({"precision": "int8", "calibration": [NOISE[0]] * 8}, "Only 1 of the 8 calibration images can be used"),
        ({"precision": "int8", "calibration": [np.zeros_like(NOISE[0])] * 8}, "Only 0 of the 8 calibration images"),
        ({"precision": "dynamic", "recipe": UNKNOWN}, "is for layers that this network does not have: stage9/start;"),
        ({"recipe": "nowhere.json"}, "There is no recipe 'nowhere.json'"),
        ({"precision": "int8", "calibration": []}, "There are 0 calibration images"),
        ({"precision": "int8", "runtime": "tflite-1"}, "no runtime 'tflite-1'; choose one of litert, tflite-2.16"),
        ({"input": "int8"}, "no input 'int8'; choose one of uint8, float32"),
        ({"output": "masks"}, "no output 'masks'; choose one of labels, labels_full, logits, probabilities"),
        (
            {"client": "mediapipe"},
            "MediaPipe Tasks does not read labels: .*; choose the output probabilities or logits",
        ),
        ({"client": "task-library", "output": "logits"}, "The Task Library does not read logits: .*probabilities"),
        ({"client": "coral"}, "No file suits the Edge TPU of Coral"),
        ({"client": "toaster"}, "no client 'toaster'; choose one of app, mediapipe"),
        ({"client": "mcu"}, "A microcontroller takes files of the precision int8_mcu, not of float32"),
        (
            {"client": "ethos-u", "precision": "int8", "calibration": NOISE},
            "An Ethos-U takes files of the precision int8_mcu, not of int8",
        ),
        (
            {"client": "app", "precision": "int8_mcu", "calibration": NOISE},
            "The Android demo does not take files of the precision int8_mcu",
        ),
        ({"save_memory": True, "tiles": False}, "Memory is saved by row tiles"),
        ({"save_memory": True, "resizable": True}, "Memory is saved by row tiles"),
        ({"batch_size": 0}, "batch size is 0; it must be"),
        ({"batch_size": True}, "batch size is True; it must be"),
        ({"batch_size": 2, "client": "app"}, "The Android demo takes one image at a time"),
        ({"resizable": True, "precision": "dynamic"}, "choose float32 or float16 for a resizable file"),
        ({"resizable": True, "client": "gpu"}, "The client 'gpu' is not known to resize files"),
        ({"input_size": (31, 64)}, "each at least 32; got"),
        ({"input_size": 512}, "each at least 32; got 512"),
        ({"input_size": (64.0, 64)}, "each at least 32; got"),
        ({"input_size": (True, 64)}, "each at least 32; got"),
    ],
)
def test_arguments_out_of_range(tiny, tmp_path, arguments, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        convert(tiny, **{"path": tmp_path / "m.tflite", "input_size": (64, 64)} | arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", ["b0_camvid", keras.Sequential()])
def test_only_a_segformer_is_converted(other, tmp_path):
    for make in (convert, export_savedmodel):
        with pytest.raises(ValueError, match=r"Only a SegFormer can be converted, not a .*; load one with"):
            make(other, tmp_path / "m.tflite")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".tflite", ".json", ".html"])
def test_a_folder_in_the_way(tiny, tmp_path, suffix):
    (tmp_path / f"m{suffix}").mkdir()
    with pytest.raises(ValueError, match=rf"m{suffix}' is a folder, where a file is to be written"):
        convert(tiny, tmp_path / "m.tflite", input_size=(64, 64))


@pytest.mark.parametrize(
    ("num_classes", "arguments", "message"),
    [
        (1, {"client": "mediapipe", "output": "logits"}, "swaps foreground and background; choose the output prob"),
        (257, {"client": "mediapipe", "output": "probabilities"}, "tells 256 classes apart, and the network has 257"),
        (257, {"client": "task-library", "output": "probabilities"}, "tells 256 classes apart"),
    ],
)
def test_classes_that_a_client_misreads(num_classes, arguments, message, tmp_path):
    model = SegFormerNetwork(tiny_config(num_classes=num_classes))
    with pytest.raises(ValueError, match=message):
        convert(model, tmp_path / "m.tflite", input_size=(64, 64), **arguments)


@pytest.mark.parametrize(
    ("num_classes", "note"), [(1, b"need probabilities instead"), (257, b"have 256 classes at most")]
)
def test_the_file_says_what_clients_misread(num_classes, note, tmp_path):
    convert(
        SegFormerNetwork(tiny_config(num_classes=num_classes)), tmp_path / "m.tflite", output="logits", report=False
    )
    assert note in (tmp_path / "m.tflite").read_bytes()


@pytest.fixture(scope="module")
def pictures(photograph):
    return [photograph(64 + index, 64)[0] for index in range(8)]


# The search measures layer by layer; a network of one stage has a fifth of the layers.
@pytest.mark.parametrize(
    ("name", "output"), [("stage_1", "labels"), pytest.param("tiny", "labels_full", marks=pytest.mark.slow)]
)
def test_integers(name, pictures, output, tmp_path):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    model, options = random_model(name), {"input_size": (64, 64), "output": output, "calibration": pictures}
    facts = convert(model, tmp_path / "m.tflite", "int8", target=0.9, **options)
    assert facts["fidelity"]["agreement"] > 0.9
    quantization = facts["quantization"]
    assert quantization["integer_share_of_layers"] > quantization["integer_share_with_attention"] > 0.3
    assert quantization["sensitivity"] == []  # all layers that may be in integers are, which is close enough
    again = convert(model, tmp_path / "n.tflite", "int8", recipe=tmp_path / "m.json", **options)
    assert again["sha256"] == facts["sha256"]


def test_report_of_a_search(pictures, tmp_path):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    options = {"input_size": (64, 64), "calibration": pictures, "measure_times": True}
    facts = convert(random_model("stage_1"), tmp_path / "m.tflite", "int8", **options)
    quantization = facts["quantization"]
    assert {row["layer"] for row in quantization["sensitivity"]} == set(quantization["recipe"]["layers"])
    assert "most sensitive layers" in (tmp_path / "m.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("precision", "options"),
    [("int8", {"runtime": "tflite-2.16", "target": 0.9}), ("int8_npu", {"target": 0.9}), ("int16x8", {})],
)
def test_static_integers(tiny, pictures, precision, options, tmp_path):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    facts = convert(tiny, tmp_path / "m.tflite", precision, (64, 64), calibration=pictures, report=False, **options)
    assert facts["fidelity"]["agreement"] > 0.9
    assert facts["quantization"]["integer_share_with_attention"] > 0.8
    modes = facts["quantization"]["recipe"]["layers"].values()
    assert set(modes) <= {"static", "float"}
    assert [int(number) for number in facts["minimum_runtime"].split(".")] < [2, 17]


def subtractions(file):
    return sum(node.name == "SUB" for node in read_tflite(file.read_bytes()).nodes)


def classifier_scale(file):
    """Of the logits behind the last layer with weights."""
    [scale] = [node for node in read_tflite(file.read_bytes()).nodes if node.name == "CONV_2D"][-1].outputs[0].scales
    return scale


def test_static_attention_is_searched_at_the_size_of_the_file(pictures, tmp_path, monkeypatch):
    """And its values are centred, layers are measured on altered pictures, and logits have the range of labels."""
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    seen = {}

    def search(precision, file, images, unlikely, *others):
        seen.update(images=images, unlikely=unlikely)
        return SearchResult(recipe=default_recipe(precision, file, "litert", calibrated=True))

    monkeypatch.setattr(QUANTIZING, "search_recipe", search)
    model = random_model("stage_1")
    options = {"calibration": pictures, "report": False}
    for output in ("labels", "logits"):
        convert(model, tmp_path / f"{output}.tflite", "int8_npu", (288, 320), output=output, **options)
    assert seen["images"].shape[1:3] == seen["unlikely"].shape[1:3] == (288, 320)
    np.testing.assert_array_equal(seen["unlikely"][0], 255 - seen["images"][0])
    assert classifier_scale(tmp_path / "labels.tflite") != classifier_scale(tmp_path / "logits.tflite")
    convert(model, tmp_path / "cpu.tflite", "int8", (288, 320), **options)
    assert seen["images"].shape[1] < 288
    assert subtractions(tmp_path / "labels.tflite") == subtractions(tmp_path / "cpu.tflite") + 1  # the only block


def test_the_recipe_decides_whether_values_are_centred(pictures, tmp_path):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    model = random_model("stage_1")
    convert(model, tmp_path / "m.tflite", "dynamic", (64, 64), report=False)
    names = QuantizationRecipe.load(tmp_path / "m.json").layers
    counts = {}
    for mode in ("static", "float"):
        modes = {name: mode if name.endswith("/mixture") else "float" for name in names}
        recipe = QuantizationRecipe(layers=modes, rounding="nearest")
        for precision in ("int8", "int8_npu"):
            file = tmp_path / f"{precision}.tflite"
            convert(model, file, precision, (64, 64), recipe=recipe, calibration=pictures, report=False)
            counts[mode, precision] = subtractions(file)
    assert counts["static", "int8_npu"] == counts["float", "int8_npu"] + 1
    assert counts["static", "int8"] == counts["float", "int8"] + 1


def test_statistics_are_collected_once_where_only_the_output_differs(pictures, tmp_path, monkeypatch):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    model, calls = random_model("stage_1"), []

    def collect(*arguments, **options):
        calls.append(arguments)
        return collect_statistics(*arguments, **options)

    monkeypatch.setattr(QUANTIZING, "collect_statistics", collect)
    options = {"calibration": pictures, "target": 0.01, "report": False}
    convert(model, tmp_path / "once.tflite", "int8_npu", (64, 64), output="labels", **options)
    assert len(calls) == 1
    monkeypatch.setattr(FloatFile, "statistics_for", lambda self, other: None)
    convert(model, tmp_path / "twice.tflite", "int8_npu", (64, 64), output="labels", **options)
    assert len(calls) == 3
    once, twice = (read_tflite((tmp_path / f"{name}.tflite").read_bytes()) for name in ("once", "twice"))
    for tensor, same in zip(once.tensors, twice.tensors, strict=True):
        np.testing.assert_array_equal(tensor.scales, same.scales, tensor.name)
    monkeypatch.undo()
    monkeypatch.setattr(QUANTIZING, "collect_statistics", collect)
    convert(model, tmp_path / "batch.tflite", "int8_npu", (64, 64), output="labels", batch_size=2, **options)
    assert len(calls) == 5


def test_fine_tuning(pictures, tmp_path):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    model = random_model("stage_1")  # the fewest layers to train
    options = {"input_size": (64, 64), "calibration": pictures, "report": False}
    plain = convert(model, tmp_path / "m.tflite", "dynamic", **options)
    recipe = dataclasses.replace(QuantizationRecipe.load(tmp_path / "m.json"), bits=4)
    tuned = convert(model, tmp_path / "n.tflite", "dynamic", recipe=recipe, fine_tune_steps=5, **options)
    assert tuned["quantization"]["recipe"]["rounding"] == "nearest"
    assert tuned["quantization"]["recipe"]["layers"] == plain["quantization"]["recipe"]["layers"]
    assert tuned["bytes"] < plain["bytes"]


def test_dynamic_needs_no_images(converted):
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    _, facts = converted("tiny", precision="dynamic", input_size=(64, 96), output="logits", report=False)
    assert facts["quantization"]["recipe"]["rounding"] == "nearest"
    assert facts["fidelity"] is None
    _, float32 = converted("tiny", input_size=(64, 96), output="logits", report=False)
    assert facts["bytes"] < 0.7 * float32["bytes"]
