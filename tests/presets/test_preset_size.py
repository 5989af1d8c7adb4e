"""Configs that describe more than their weights can fill."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_segformer.errors import InvalidPresetError, WeightsMismatchError
from keras_segformer.models import VARIANTS, MixTransformer, SegFormerNetwork
from keras_segformer.presets import load_segmenter, save_keras_folder
from keras_segformer.presets.catalogue import PRESETS
from keras_segformer.presets.preset_size import WeightsSize, check_size, fewest_parameters
from tiny import tiny_config


@pytest.mark.parametrize("name", PRESETS)
def test_the_bound_holds_for_every_published_preset(name):
    info = PRESETS[name]
    config = VARIANTS[info.variant].replace(num_classes=info.num_classes)
    fewest = fewest_parameters(config, info.task == "classification")
    assert 0.9 * info.parameters < fewest <= info.parameters
    check_size(config, info.task == "classification", WeightsSize(sum(config.encoder.depths), info.parameters))


@pytest.mark.parametrize(
    "overrides",
    [{}, {"positional_encoding": "learned", "positional_resolution": (64, 96)}, {"decoder_stages": (2, 4)}],
)
def test_the_bound_holds_for_models(overrides):
    config = tiny_config(**overrides)
    assert 0.8 * SegFormerNetwork(config).count_params() < fewest_parameters(config)
    assert fewest_parameters(config) <= SegFormerNetwork(config).count_params()
    encoder = MixTransformer(config.encoder, 7)
    assert fewest_parameters(config.replace(num_classes=7), classification=True) <= encoder.count_params()


LARGE = [
    {"depths": [1, 1, 10**9, 1]},
    {"embed_dims": [16, 32, 40, 64 * 10**6]},
    {"mlp_ratios": [4, 4, 4, 10**9]},
    {"patch_sizes": [10**6, 3, 3, 3]},
    {"sr_ratios": [10**6, 4, 2, 1]},
    {"positional_encoding": "learned", "positional_resolution": [10**6, 10**6]},
    {"decoder_width": 10**6},
    {"num_classes": 10**9},
]


@pytest.fixture
def no_models(monkeypatch):
    """Building any of these networks would end in the memory, or never."""
    monkeypatch.setattr(SegFormerNetwork, "__init__", lambda *_, **__: pytest.fail("a model was built"))


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preset") / "tiny"
    save_keras_folder(SegFormerNetwork(tiny_config()), folder)
    return folder


@pytest.mark.parametrize("change", LARGE, ids=[next(iter(change)) for change in LARGE])
def test_presets_of_ours(preset, tmp_path, no_models, change):
    folder = tmp_path / "large"
    folder.mkdir()
    for file in preset.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    values = json.loads((folder / "config.json").read_text())
    config = values["config"]["config"]
    for name, value in change.items():
        (config["encoder"] if name in config["encoder"] else config)[name] = value
    (folder / "config.json").write_text(json.dumps(values))
    if "num_classes" in change:
        preprocessor = json.loads((folder / "preprocessor.json").read_text())
        with pytest.raises(InvalidPresetError, match="classes are named"):
            load_segmenter(SegFormerNetwork, folder)
        assert preprocessor
        return
    with pytest.raises(WeightsMismatchError, match=r"describes a network of \d+ blocks .* get the whole preset again"):
        load_segmenter(SegFormerNetwork, folder)


def test_checkpoints_of_transformers(tmp_path, no_models):
    save_file({"segformer.encoder.x": np.zeros(9, "float32")}, tmp_path / "model.safetensors")
    values = {"hidden_sizes": [32, 64, 160, 256], "depths": [2, 2, 10**8, 2], "num_labels": 5}
    (tmp_path / "config.json").write_text(json.dumps(values))
    with pytest.raises(WeightsMismatchError, match="network of 100000006 blocks"):
        load_segmenter(SegFormerNetwork, tmp_path)


def test_backbones_are_measured_by_their_weights_alone(tmp_path):
    images = keras.Input((None, None, 3))
    maps = [keras.layers.Conv2D(8, 3, strides=2**stage, padding="same")(images) for stage in range(2, 6)]
    model = SegFormerNetwork(tiny_config().replace(encoder=None), backbone=keras.Model(images, maps))
    save_keras_folder(model, tmp_path / "own")
    assert load_segmenter(SegFormerNetwork, tmp_path / "own").count_params() == model.count_params()
