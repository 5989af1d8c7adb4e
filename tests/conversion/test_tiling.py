"""Which row tiles a file has."""

from __future__ import annotations

from pathlib import Path

import pytest

from keras_segformer.conversion import convert
from keras_segformer.conversion.graph.tiles import FAST, STATIC, UNTILED, Tiling
from keras_segformer.conversion.graph.weights import read_network
from keras_segformer.conversion.options import ConversionOptions
from keras_segformer.conversion.tflite.arena import arena_bytes
from keras_segformer.conversion.tiling import tiling_for
from keras_segformer.models import VARIANTS, SegFormerNetwork

SIZE = (128, 160)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, FAST),
        ({"precision": "dynamic"}, FAST),
        ({"precision": "int8_npu", "calibration": True}, STATIC),
        ({"precision": "int8_npu", "calibration": True, "save_memory": True}, Tiling()),
        ({"tiles": False}, UNTILED),
        ({"resizable": True}, UNTILED),
    ],
)
def test_tiles_suit_the_tensors(tiny, arguments, expected):
    options = ConversionOptions(path=Path("m.tflite"), **{"calibration": ()} | arguments)
    assert tiling_for(read_network(tiny), options, SIZE, batch_size=1) == expected


@pytest.mark.parametrize("batch_size", [1, 3])
def test_least_memory_is_half_of_what_remains_whole(tiny, batch_size):
    options = ConversionOptions(path=Path("m.tflite"), save_memory=True)
    found = tiling_for(read_network(tiny), options, SIZE, batch_size)
    hidden = read_network(tiny).stages[0].blocks[0].ffn.contract.kernel.shape[0]
    assert found.scores == found.fused == batch_size * 32 * 40 * hidden // 2


@pytest.mark.slow
@pytest.mark.parametrize("side", [256, 512])
def test_tiles_save_memory(tmp_path, side):
    model = SegFormerNetwork(VARIANTS["b0"])
    arenas = {}
    for name, arguments in {"whole": {"tiles": False}, "tiled": {}, "least": {"save_memory": True}}.items():
        convert(model, tmp_path / "m.tflite", input_size=(side, side), report=False, **arguments)
        arenas[name] = arena_bytes((tmp_path / "m.tflite").read_bytes())
    assert arenas["least"] <= arenas["tiled"] < 0.8 * arenas["whole"]
    assert arenas["least"] < 0.6 * arenas["whole"]
