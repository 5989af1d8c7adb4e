from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_segformer.analysis.complexity import PAPER_PARAMETERS_M, count_complexity, paper_macs
from keras_segformer.models import VARIANTS, SegFormerConfig, SegFormerNetwork
from keras_segformer.presets import PRESETS
from literal_decoder import LiteralFusion
from tiny import TINY, tiny_config

PAPER_VARIANTS = tuple(PAPER_PARAMETERS_M)
CITYSCAPES_SIZE = (1024, 2048)
PRINTED_MACS = [info for info in PRESETS.values() if info.paper.macs_g]


def trainable_numbers(layer: keras.layers.Layer) -> int:
    return sum(int(np.prod(variable.shape)) for variable in layer.trainable_variables)


def graph_macs(call, inputs: list[tf.TensorSpec]) -> dict[str, int]:
    """Multiply-accumulates of a traced TensorFlow graph by kind of operation, from the shapes in the graph alone."""
    counts = {"Conv2D": 0, "DepthwiseConv2dNative": 0, "BatchMatMulV2": 0, "MatMul": 0}
    for operation in tf.function(call).get_concrete_function(*inputs).graph.get_operations():
        if operation.type in counts:
            first, second = (tuple(tensor.shape) for tensor in operation.inputs[:2])
            # Every output element sums over the kernel's height, width and (of a full convolution) input channels, or
            # over the axis that two matrices share.
            sums = {
                "Conv2D": np.prod(second[:3]),
                "DepthwiseConv2dNative": np.prod(second[:2]),
            }.get(operation.type, first[-1])
            counts[operation.type] += int(np.prod(operation.outputs[0].shape) * sums)
    return counts


@pytest.mark.parametrize("name", ["b0", "b1", "pvt_v2_b0"])
def test_parameters_are_those_of_the_model(name):
    config = VARIANTS[name].replace(num_classes=19)
    model, complexity = SegFormerNetwork(config), count_complexity(config, (512, 512))
    assert complexity.encoder_total.parameters == trainable_numbers(model.backbone)
    assert complexity.decoder_total.parameters == trainable_numbers(model.decoder)
    statistics = 2 * config.decoder_width
    assert complexity.total.parameters + statistics == model.count_params()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(VARIANTS) - {"b0", "b1", "pvt_v2_b0"}))
def test_parameters_are_those_of_the_large_models(name):
    test_parameters_are_those_of_the_model(name)


@pytest.mark.parametrize("name", PAPER_VARIANTS)
def test_parameters_are_the_papers(name):
    complexity = count_complexity(VARIANTS[name], (512, 512))
    millions = {part: round(getattr(complexity, part).parameters / 1e6, 1) for part in ("total", "decoder_total")}
    # The paper's encoder is the difference of two rounded numbers: see the module's documentation.
    encoder = round(millions["total"] - millions["decoder_total"], 1)
    assert (encoder, millions["decoder_total"]) == PAPER_PARAMETERS_M[name]
    assert complexity.encoder_total.parameters / 1e6 == pytest.approx(encoder, abs=0.1)


@pytest.mark.parametrize("info", PRINTED_MACS, ids=lambda info: info.name)
def test_macs_are_the_papers(info):
    counted = paper_macs(VARIANTS[info.variant], info.paper.macs_input_size)
    assert round(counted / 1e9, 1) == info.paper.macs_g


def test_paper_prints_twelve_macs():
    assert {info.variant for info in PRINTED_MACS} == set(PAPER_VARIANTS)
    assert len(PRINTED_MACS) == 12


def test_paper_counts_cityscapes_with_the_head_of_ade20k():
    config = VARIANTS["b0"].replace(num_classes=19)
    assert paper_macs(config, CITYSCAPES_SIZE) == paper_macs(VARIANTS["b0"], CITYSCAPES_SIZE)
    total = count_complexity(config, CITYSCAPES_SIZE).total
    assert round((total.plain_macs + total.other_operations) / 1e9, 1) == 121.1


def test_our_form_halves_b0():
    total = count_complexity(VARIANTS["b0"], (512, 512)).total
    assert round(total.plain_macs / 1e9, 2) == 8.39
    assert round(total.macs / 1e9, 2) == 4.09


@pytest.mark.parametrize(
    ("overrides", "size"),
    [
        ({}, (64, 64)),
        ({}, (32, 96)),
        ({}, (65, 97)),
        ({"decoder_stages": (2, 4), "output_stride": 4}, (64, 64)),
        ({"decoder_stages": (2, 4), "output_stride": 4}, (91, 130)),
        ({"positional_encoding": "learned", "positional_resolution": (70, 50)}, (32, 96)),
        ({"positional_encoding": "learned", "positional_resolution": (70, 50)}, (91, 130)),
        ({"patch_sizes": (4, 2, 3, 3), "mlp_ratios": (8, 2, 4, 1)}, (91, 130)),
    ],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else " ".join(value) or "default",
)
def test_macs_are_those_of_the_graph(overrides, size):
    config = tiny_config(**overrides)
    complexity = count_complexity(config, size)
    model = SegFormerNetwork(config)
    counted = graph_macs(model, [tf.TensorSpec((1, *size, 3))])
    products = sum(cost["attention products"].macs for cost in complexity.stages)
    assert counted["BatchMatMulV2"] == products
    assert counted["MatMul"] == complexity.kernel_product_macs
    assert counted["Conv2D"] + counted["DepthwiseConv2dNative"] + products == complexity.total.macs
    assert complexity.total.parameters == trainable_numbers(model)


@pytest.mark.parametrize("stages", [(1, 2, 3, 4), (2, 4)])
def test_plain_macs_are_those_of_the_literal_decoder(stages):
    config = tiny_config(decoder_stages=stages)
    complexity = count_complexity(config, (64, 96))
    features = [
        tf.TensorSpec((1, 64 // 4 // 2**index, 96 // 4 // 2**index, config.encoder.embed_dims[index]))
        for index in (stage - 1 for stage in stages)
    ]
    literal = LiteralFusion(config.decoder_width)
    counted = graph_macs(lambda *maps: literal(list(maps)), features)["Conv2D"]
    assert counted == complexity.decoder["stage maps"].plain_macs + complexity.decoder["fusion"].plain_macs
    assert complexity.total.plain_macs - complexity.total.macs == complexity.decoder["fusion"].plain_macs


def test_own_backbone_is_refused():
    with pytest.raises(ValueError, match="count_params"):
        count_complexity(SegFormerConfig(encoder=None), (64, 64))


def test_too_small_image_is_refused():
    with pytest.raises(ValueError, match="at least 32x32 pixels, got 31x64"):
        count_complexity(SegFormerConfig(encoder=TINY), (31, 64))
