"""Float files and what they are quantised to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from comparison import squared_error
from keras_segformer.conversion.audit import audit
from keras_segformer.conversion.quantize.quantization_recipe import QuantizationRecipe
from keras_segformer.conversion.quantize.rounding import weight_scales
from keras_segformer.conversion.report.fidelity import compare_outputs, run_file
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.errors import MissingExtraError

pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")


def recipe(float_file, mode, **options):
    """One mode for all layers that can have it, except for the sensitive ones."""
    kinds = ("CONV_2D",) if mode == "dynamic" else ("CONV_2D", "DEPTHWISE_CONV_2D")
    layers = {
        name: mode if layer.operator in kinds and layer.layer.role != "start" else "float"
        for name, layer in float_file.layers.items()
    }
    return QuantizationRecipe(layers=layers, **options)


def fidelity(float_file, content, pictures):
    return compare_outputs(run_file(float_file.content, pictures), run_file(content, pictures))


@pytest.mark.parametrize(
    ("mode", "options", "least"),
    [
        ("dynamic", {}, 0.93),
        ("dynamic", {"rounding": "nearest"}, 0.93),
        ("dynamic", {"per_channel": False, "rounding": "nearest"}, 0.8),
        ("static", {}, 0.85),
        ("static", {"activation_bits": 16}, 0.93),
        ("static", {"operators": {"GELU": "static", "SOFTMAX": "static", "RESHAPE": "static"}}, 0.8),
    ],
)
def test_file_agrees_with_the_float_file_and_has_true_versions(mode, options, least, float_file, pictures):
    content = float_file.quantize(recipe(float_file, mode, **options))
    assert fidelity(float_file, content, pictures).agreement >= least
    found = audit(content)
    assert not found.faults
    assert found.claimed_runtime == found.minimum_runtime
    # Most weights are integers.
    assert sum(tensor.type == "INT8" and tensor.constant for tensor in read_tflite(content).tensors) > 20


def test_weights_are_those_of_the_rounding(float_file):
    content = float_file.quantize(recipe(float_file, "dynamic"))
    layer = float_file.layers["stage2/block1/expand"]
    weights = {tensor.name: tensor for tensor in read_tflite(content).tensors}[layer.nodes[0].inputs[1].name]
    kernel = layer.kernel.reshape(len(layer.kernel), -1)
    np.testing.assert_allclose(weights.scales, weight_scales(kernel), rtol=1e-6)
    integers = weights.data.view(np.int8).reshape(kernel.shape)
    error = np.abs(integers * weights.scales[:, None] - kernel)
    assert error.max() > 0.6 * weights.scales.max()  # some are not rounded to the nearest integer
    assert np.mean(error) < weights.scales.mean()
    nearest = float_file.quantize(recipe(float_file, "dynamic", rounding="nearest"))
    assert nearest != content


@pytest.mark.parametrize("options", [{"bits": 4}, {"per_channel": False}], ids=["4 bits", "one scale"])
def test_rounding_lowers_the_error_of_coarse_quantization(float_file, pictures, options):
    coarse = recipe(float_file, "dynamic", **options)
    expected = run_file(float_file.content, pictures)
    contents = [float_file.quantize(each) for each in (coarse, dataclasses.replace(coarse, rounding="nearest"))]
    better, nearest = (squared_error(run_file(content, pictures), expected) for content in contents)
    print(f"squared error {better:.1e}, of the nearest integers {nearest:.1e}")
    assert better < 0.7 * nearest


def test_same_recipe_same_file(float_file):
    chosen = recipe(float_file, "static")
    assert float_file.quantize(chosen) == float_file.quantize(QuantizationRecipe.from_dict(chosen.to_dict()))


def test_all_float_is_the_float_file(float_file):
    assert float_file.quantize(recipe(float_file, "float")) == float_file.content


def test_recipe_of_another_network(float_file):
    chosen = recipe(float_file, "dynamic")
    with pytest.raises(ValueError, match="layers that this network does not have: stage9/start;"):
        float_file.quantize(dataclasses.replace(chosen, layers=chosen.layers | {"stage9/start": "float"}))
    rest = dict(list(chosen.layers.items())[5:])
    with pytest.raises(ValueError, match=r"leaves out layers: stage1/embedding, .* and 2 more;"):
        float_file.quantize(dataclasses.replace(chosen, layers=rest))
    with pytest.raises(ValueError, match="'FOO', which is not an operation that can be quantised"):
        float_file.quantize(dataclasses.replace(chosen, operators={"FOO": "static"}))


def test_products_of_attention_cannot_be_dynamic(float_file):
    chosen = recipe(float_file, "dynamic")
    with pytest.raises(ValueError, match="'stage1/block1/scores' has no weights"):
        float_file.quantize(dataclasses.replace(chosen, layers=chosen.layers | {"stage1/block1/scores": "dynamic"}))


def test_calibration_images_are_missing(uncalibrated_file):
    with pytest.raises(ValueError, match="needs calibration images"):
        uncalibrated_file.quantize(recipe(uncalibrated_file, "static"))
    assert uncalibrated_file.quantize(recipe(uncalibrated_file, "dynamic", rounding="nearest"))


def test_package_is_missing(float_file, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "litert_quantizer.quantizer", None)
    with pytest.raises(MissingExtraError, match=r"keras-segformer\[mobile\]"):
        float_file.quantize(recipe(float_file, "dynamic"))
