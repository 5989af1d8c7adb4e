"""`keras-segformer analyze`."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from fake_datasets import write_image
from keras_segformer.analysis import effective_receptive_field
from keras_segformer.cli import main
from keras_segformer.segformer import SegFormer
from tiny import light_segmenter


@pytest.fixture(scope="module")
def preset(tmp_path_factory) -> Path:
    """A folder with a network of convolutions and three classes."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "light"
    light_segmenter(num_classes=3).save_to_preset(folder)
    return folder


@pytest.fixture(autouse=True)
def log_level(monkeypatch):
    # Keras is imported already; the program must not set the variable for the tests behind this one.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")


def test_erf_prints_writes_and_draws(preset, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    for number in range(3):
        write_image(tmp_path / f"images/{number}.png", seed=number)
    images = sorted((tmp_path / "images").iterdir())
    out = ["--json", f"{tmp_path}/erf.json", "--figure", f"{tmp_path}/erf.png"]
    line = [
        "analyze",
        "erf",
        "--preset",
        str(preset),
        "--images",
        f"{tmp_path}/images",
        "--count",
        "2",
        "--size",
        "64x96",
    ]
    assert main([*line, *out]) == 0
    fields = effective_receptive_field(SegFormer.from_preset(preset), images[:2], (64, 96))
    content = json.loads((tmp_path / "erf.json").read_text())
    assert (content["count"], content["size"], content["backbone_weights"]) == (2, [64, 96], None)
    assert content["models"][str(preset)] == {part: field.to_dict() for part, field in fields.items()}
    assert (tmp_path / "erf.png").stat().st_size > 10_000
    [row] = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  stage 1")]
    assert row[2:] == [*(str(fields["stage 1"].side(share)) for share in (0.2, 0.3, 0.5, 0.99)), "7x7"]


def test_erf_of_a_cnn(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png")

    def constructor(**options):
        assert options["weights"] is None
        backbone = light_segmenter().backbone
        return keras.Model(backbone.input, backbone.outputs[-1])

    constructor.__module__ = "keras.src.applications.mobilenet"
    monkeypatch.setattr(keras.applications, "MobileNet", constructor)
    line = ["analyze", "erf", "--backbone", "MobileNet", "--backbone-weights", "random", "--size", "64"]
    assert main([*line, "--images", f"{tmp_path}/a.png", "--json", f"{tmp_path}/erf.json"]) == 0
    content = json.loads((tmp_path / "erf.json").read_text())
    assert content["backbone_weights"] == "random"
    assert np.max(content["models"]["MobileNet"]["stage 1"]["support"]) == 7


def test_erf_needs_a_model(tmp_path, capsys):
    assert main(["analyze", "erf", "--images", str(tmp_path)]) == 2
    assert "name one with --preset, or a CNN with --backbone" in capsys.readouterr().err
