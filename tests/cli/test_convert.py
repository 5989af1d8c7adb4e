"""What `keras-segformer convert` says of a quantised file."""

from __future__ import annotations

import pytest

from keras_segformer import SegFormer
from keras_segformer.cli import convert as command
from keras_segformer.cli import main
from tiny import tiny_config


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("convert") / "tiny"
    SegFormer(tiny_config()).save_to_preset(folder)
    return folder


def facts(agreement: float, searched: float) -> dict:
    """Of a file with a target of .99 that has been written."""
    tensor = {"shape": [1, 64, 64, 3], "dtype": "uint8"}
    return {
        "bytes": 1_000_000,
        "precision": "int8",
        "input": tensor,
        "output": tensor | {"kind": "labels"},
        "fidelity": {"agreement": agreement, "worst_agreement": agreement, "images": 8, "vanished": []},
        "minimum_runtime": "2.14",
        "quantization": {
            "recipe": {"layers": {}},
            "sensitivity": [],
            "integer_share_of_layers": 0.92,
            "integer_share_with_attention": 0.7,
            "search": {"agreement": searched},
            "target": 0.99,
        },
    }


@pytest.mark.parametrize(
    ("agreement", "searched", "warning"),
    [
        (0.995, 0.992, None),
        (0.98, 0.992, "less than the 99.00% which the recipe reached on smaller pictures; give more pictures"),
        (0.98, 0.97, "no recipe reaches an agreement of 0.990"),
    ],
)
def test_a_missed_target_is_said_once(preset, tmp_path, monkeypatch, capsys, agreement, searched, warning):
    monkeypatch.setattr(command, "convert", lambda *_, **__: facts(agreement, searched))
    assert main(["convert", "--preset", str(preset), "--output", str(tmp_path / "x.tflite")]) == 0
    warnings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning")]
    assert len(warnings) == (warning is not None)
    assert not warning or warning in warnings[0]
