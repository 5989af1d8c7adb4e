"""Operations that separate integer products from upsampling and ARG_MAX."""

from __future__ import annotations

import pytest

from comparison import assert_close, randomize
from keras_segformer.conversion import convert
from keras_segformer.conversion.fold import fold_all
from keras_segformer.conversion.graph.clean_registers import clean_registers
from keras_segformer.conversion.graph.tiles import UNTILED, Tiling
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.tflite.reader import read_tflite
from keras_segformer.models import SegFormerNetwork
from tiny import tiny_config

COPIES = ("CONCATENATION", "RESIZE_BILINEAR", "STRIDED_SLICE")


@pytest.mark.parametrize("tiling", [UNTILED, Tiling(fused=2**10, rows_first=True)], ids=["whole", "tiled"])
def test_same_function(model, model_name, traced_logits, logits_of, tiling):
    network = clean_registers(fold_all(read_network(model)))
    assert_close(traced_logits(network, 64, 96, tiling=tiling), logits_of(model_name, 64, 96))


def sources(nodes, kind):
    """What computes the inputs of the operations of a kind, behind those that only copy values."""
    makers = {output.name: node for node in nodes for output in node.outputs}

    def source(tensor):
        maker = makers[tensor.name]
        return source(maker.inputs[0]) if maker.name in COPIES else maker.name

    return {source(node.inputs[0]) for node in nodes if node.name == kind}


@pytest.mark.parametrize("output", ["labels", "labels_full"])
@pytest.mark.parametrize(("precision", "expected"), [("dynamic", "MINIMUM"), ("float32", "CONV_2D")])
@pytest.mark.parametrize("tiles", [True, False])
def test_integer_products_are_separated(tiny, tmp_path, monkeypatch, output, precision, expected, tiles):
    if precision == "dynamic":
        pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    small = Tiling(scores=2**9, fused=2**11, enlarged=2**13, rows_first=True)
    monkeypatch.setattr("keras_segformer.conversion.tiling.FAST", small)
    convert(tiny, tmp_path / "m.tflite", precision, (64, 64), output=output, report=False, tiles=tiles)
    nodes = read_tflite((tmp_path / "m.tflite").read_bytes()).nodes
    assert len([node for node in nodes if node.name == "ARG_MAX"]) > 1 or not tiles
    assert sources(nodes, "RESIZE_BILINEAR") == sources(nodes, "ARG_MAX") == {expected}


@pytest.mark.parametrize("output", ["logits", "probabilities", "labels"])
def test_a_decoder_that_skips_the_first_stage(tmp_path, output):
    """Its logits are enlarged to a quarter of the size, whatever follows."""
    pytest.importorskip("litert_quantizer", reason="litert-quantizer is not installed")
    model = SegFormerNetwork(tiny_config(decoder_stages=(2, 3)))
    randomize(model)
    convert(model, tmp_path / "m.tflite", "dynamic", (64, 64), output=output, report=False)
    nodes = read_tflite((tmp_path / "m.tflite").read_bytes()).nodes
    assert sources(nodes, "RESIZE_BILINEAR") == {"MINIMUM"}
