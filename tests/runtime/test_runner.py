"""Files run in this process."""

from __future__ import annotations

import runpy
import sys
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.runtime import TensorDetails, TFLiteRunner, isolated_runner
from keras_segformer.runtime.runner import SLOW_INTEGERS
from tflite_files import convert

pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")


@pytest.fixture(scope="module")
def product() -> keras.Model:
    """The product of an image with itself, by BATCH_MATMUL."""
    images = keras.Input((16, 16), batch_size=1)
    return keras.Model(images, keras.layers.Lambda(lambda x: tf.matmul(x, x, transpose_b=True) / 255**2)(images))


@pytest.fixture(scope="module", params=["float32", "int8"])
def content(request, product, tmp_path_factory) -> bytes:
    integer = None if request.param == "float32" else tf.int8
    return convert(product, tmp_path_factory.mktemp("files") / "product.tflite", integer).read_bytes()


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (1, 16, 16)).astype(np.float32)


@pytest.mark.parametrize("runtime", ["litert", "tensorflow"])
@pytest.mark.parametrize("options", [{}, {"delegates": False}, {"num_threads": 2}, {"keep_tensors": True}], ids=str)
def test_numbers_in_numbers_out(content, product, image, options, runtime, monkeypatch):
    """With TensorFlow too, whose XNNPACK is wrong by many steps for the INT8 product."""
    if runtime == "tensorflow":
        monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    else:
        pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        runner = TFLiteRunner(content, **options)
    is_slow = runtime == "tensorflow" and runner.inputs[0].dtype == "int8" and options.get("delegates", True)
    assert (SLOW_INTEGERS in [str(each.message) for each in caught]) == is_slow
    [output] = runner(image)
    assert output.dtype == np.float32
    step = runner.outputs[0].scale or 1e-4
    assert np.abs(output - np.asarray(product(image))).max() <= 4 * step
    assert runner.invoke() > 0
    np.testing.assert_array_equal(runner.read_outputs()[0], output)


def test_worker_passes_the_hint_on(content, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    worker = runpy.run_path(isolated_runner._WORKER)["_Worker"]()
    details, _ = worker.load(np.frombuffer(content, np.uint8))
    assert bool(details["hint"]) == (details["inputs"][0]["dtype"] == "int8")


def test_details(content):
    runner = TFLiteRunner(content)
    [details] = runner.inputs
    assert (details.shape, details.shape_signature) == ((1, 16, 16), (1, 16, 16))
    assert details.dtype in ("float32", "int8")
    assert (details.scale > 0) == (details.dtype == "int8")


def test_tensors_can_be_read(content, image):
    runner = TFLiteRunner(content, keep_tensors=True)
    runner(image)
    index = runner.tensor_indices()[runner.inputs[0].name]
    np.testing.assert_array_equal(runner.read_tensor(index), runner.inputs[0].quantize(image))


def test_path_and_content_are_the_same(content, image, tmp_path):
    (tmp_path / "m.tflite").write_bytes(content)
    np.testing.assert_array_equal(TFLiteRunner(tmp_path / "m.tflite")(image)[0], TFLiteRunner(content)(image)[0])


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "values", "expected"),
    [
        ("uint8", 1.0, 0, [-1, 0.6, 254.4, 300], [0, 1, 254, 255]),
        ("int8", 1.0, -128, [0, 255, 1.4], [-128, 127, -127]),
        ("uint8", 0.0, 0, [7], [7]),
        ("int16", 0.5, 0, [3, -2], [6, -4]),
        ("float32", 0.0, 0, [1.5], [1.5]),
        ("int32", 0.0, 0, [3], [3]),
    ],
)
def test_quantization(dtype, scale, zero_point, values, expected):
    details = TensorDetails(name="x", shape=(1,), shape_signature=(1,), dtype=dtype, scale=scale, zero_point=zero_point)
    quantized = details.quantize(np.array(values))
    assert quantized.dtype == dtype
    assert quantized.tolist() == expected
    numbers = details.dequantize(quantized)
    assert numbers.dtype == (np.int32 if dtype == "int32" else np.float32)
    inside = np.clip(values, 0, 255) if dtype == "uint8" else values
    np.testing.assert_allclose(numbers, inside, atol=(scale or 1e-6) / 2)


def test_damaged_file(content):
    with pytest.raises((ValueError, RuntimeError)):
        TFLiteRunner(content[:-100])
