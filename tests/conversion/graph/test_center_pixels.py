"""Pixels minus 128: the same function, whose first convolution reads bytes that INT8 keeps."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from comparison import assert_close
from keras_segformer.conversion import convert
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.center_pixels import center_pixels
from keras_segformer.conversion.graph.trace import trace_network
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.tflite.outputs import with_outputs
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.runtime import TFLiteRunner


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (34, 45), (63, 96)])
def test_same_function(tiny, photograph, logits_of, size):
    images = np.repeat(photograph(*size), 2, axis=0)
    network = center_pixels(fold_all(read_network(tiny)))
    function = trace_network(network, size, batch_size=2).function
    found = function(keras.ops.convert_to_tensor(images.astype("float32")))["logits"].numpy()
    assert_close(found, np.repeat(logits_of("tiny", *size), 2, axis=0))


def first_convolution(content):
    return next(node for node in read_tflite(content).nodes if node.name == "CONV_2D")


def test_every_byte_is_kept(tiny, tmp_path):
    """A grey picture, whose own range would give steps that no byte lies on."""
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    convert(tiny, tmp_path / "m.tflite", "dynamic", (64, 64), report=False)
    content = (tmp_path / "m.tflite").read_bytes()
    node = first_convolution(content)
    run = TFLiteRunner(with_outputs(content, [node.inputs[0].name, node.outputs[0].name]))
    picture = np.random.default_rng(0).integers(90, 171, (1, 64, 64, 3), np.uint8)
    pixels, found = run(picture)
    assert (pixels.min(), pixels.max()) == (-128, 127)
    np.testing.assert_array_equal(pixels[:, 3:67, 3:67], picture.astype(np.float32) - 128)

    scales = np.asarray(node.inputs[1].scales)[:, None, None, None]
    kernel = node.inputs[1].data.view(np.int8).reshape(node.inputs[1].shape) * scales  # (out, height, width, in)
    windows = np.lib.stride_tricks.sliding_window_view(pixels[0], (7, 7), axis=(0, 1))[::4, ::4]
    expected = np.einsum("hwiyx,oyxi->hwo", windows, kernel) + node.inputs[2].data.view("<f4")
    inner = (slice(1, 15), slice(1, 15))  # whose windows see no border
    np.testing.assert_allclose(found[0][inner], expected[inner], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_float_files_do_without(tiny, tmp_path, precision):
    convert(tiny, tmp_path / "m.tflite", precision, (64, 64), report=False)
    names = [node.name for node in read_tflite((tmp_path / "m.tflite").read_bytes()).nodes]
    before = names[: names.index("CONV_2D")]
    assert [name for name in before if name != "DEQUANTIZE"] == ["SUB", "PAD"]
